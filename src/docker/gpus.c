/*
 * Which GPUs a container has: what its engine's inspect says of devices that were
 * asked for, mapped, or made visible.  Pure; jansson.
 */
#include "json.h"
#include "jumpbox/text.h"
#include "jumpbox/util.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

enum { GPUS_TEXT = 129 };

static bool
is_gpu_request(const json_t *request)
{
	const json_t *set, *word;
	const char *driver = json_str(request, "Driver");
	size_t i, k;

	if (driver && (strcmp(driver, "nvidia") == 0 || strcmp(driver, "cdi") == 0))
		return true;
	json_array_foreach(json_object_get(request, "Capabilities"), i, set)
	{
		json_array_foreach(set, k, word)
		{
			if (json_is_string(word) && strcmp(json_string_value(word), "gpu") == 0)
				return true;
		}
	}
	return false;
}

static void
add_word(char *text, size_t size, const char *word)
{
	size_t n = strlen(text);

	snprintf(text + n, size - n, "%s%s", n > 0 ? "," : "", word);
}

/* `docker run --gpus`: "all", "count=2", or ids. */
static void
gpus_requested(const json_t *host, char *text, size_t size)
{
	const json_t *request, *id;
	json_int_t count;
	char word[32];
	size_t i, k;

	json_array_foreach(json_object_get(host, "DeviceRequests"), i, request)
	{
		if (!is_gpu_request(request))
			continue;
		json_array_foreach(json_object_get(request, "DeviceIDs"), k, id)
		{
			if (json_is_string(id))
				add_word(text, size, json_string_value(id));
		}
		count = json_integer_value(json_object_get(request, "Count"));
		snprintf(word, sizeof(word), "count=%lld", (long long)count);
		if (count != 0)
			add_word(text, size, count < 0 ? "all" : word);
	}
}

/* `--device /dev/nvidia0` */
static void
gpus_mapped(const json_t *host, char *text, size_t size)
{
	static const char prefix[] = "/dev/nvidia";
	const json_t *device;
	const char *path;
	size_t i;

	json_array_foreach(json_object_get(host, "Devices"), i, device)
	{
		path = json_str(device, "PathOnHost");
		if (path && strncmp(path, prefix, strlen(prefix)) == 0 &&
		    isdigit((unsigned char)path[strlen(prefix)]))
			add_word(text, size, path + strlen(prefix));
	}
}

/* A variable may hold anything: only a list of devices is copied, "void" and "none" are none. */
static bool
is_device_list(const char *value)
{
	if (strcmp(value, "void") == 0 || strcmp(value, "none") == 0)
		return false;
	for (; *value; value++) {
		if (!isalnum((unsigned char)*value) && !strchr(",:-", *value))
			return false;
	}
	return true;
}

/*
 * NVIDIA_VISIBLE_DEVICES, to the runtime that obeys it.  Images set it, too, and
 * with any other runtime it gives nothing.
 */
static void
gpus_visible(const json_t *host, const json_t *config, char *text, size_t size)
{
	static const char name[] = "NVIDIA_VISIBLE_DEVICES=";
	const char *runtime = json_str(host, "Runtime"), *value;
	const json_t *entry;
	size_t i;

	if (!runtime || !strstr(runtime, "nvidia"))
		return;
	json_array_foreach(json_object_get(config, "Env"), i, entry)
	{
		value = json_string_value(entry);
		if (!value || strncmp(value, name, strlen(name)) != 0)
			continue;
		if (is_device_list(value + strlen(name)))
			snprintf(text, size, "%s", value + strlen(name));
	}
}

char *
json_gpus(const json_t *host, const json_t *config)
{
	char text[GPUS_TEXT] = "";

	gpus_requested(host, text, sizeof(text));
	if (!text[0])
		gpus_mapped(host, text, sizeof(text));
	if (!text[0])
		gpus_visible(host, config, text, sizeof(text));
	text[text_cut(text, sizeof(text) - 1)] = '\0';
	return xstrdup(text);
}
