// How open-remote-ssh, and editors made from it, use the library ssh2: order of
// methods, a first small command, one long one whose daemon lives on, and
// then connections to that daemon.  Its one argument is JSON; so is its output.
'use strict';
const { Client } = require('ssh2');
const crypto = require('crypto');
const fs = require('fs');
const http = require('http');

const to = JSON.parse(process.argv[2]);
const conn = new Client();
const tried = [];

function exec(command) {
	return new Promise((resolve, reject) => {
		conn.exec(command, (error, stream) => {
			if (error) return reject(error);
			const r = { out: '', err: '' };
			stream.on('exit', (code, signal) => Object.assign(r, { code, signal }));
			stream.on('data', (data) => { r.out += data; });
			stream.stderr.on('data', (data) => { r.err += data; });
			stream.on('close', () => resolve(r));
		});
	});
}

function forward(where) {
	return new Promise((resolve, reject) => {
		const done = (error, stream) => (error ? reject(error) : resolve(stream));
		if (where.startsWith('/')) conn.openssh_forwardOutStreamLocal(where, done);
		else conn.forwardOut('127.0.0.1', 0, '127.0.0.1', Number(where), done);
	});
}

function get(stream, path) {
	return new Promise((resolve, reject) => {
		http.get({ createConnection: () => stream, path, headers: { Connection: 'close' } }, (res) => {
			const parts = [];
			res.on('data', (part) => parts.push(part));
			res.on('end', () => resolve(Buffer.concat(parts)));
		}).on('error', reject);
	});
}

// One text frame there and back.
function websocket(stream, text) {
	return new Promise((resolve, reject) => {
		const key = crypto.randomBytes(16).toString('base64');
		const req = http.get({
			createConnection: () => stream, path: '/ws',
			headers: { Connection: 'Upgrade', Upgrade: 'websocket', 'Sec-WebSocket-Version': 13, 'Sec-WebSocket-Key': key },
		});
		req.on('error', reject);
		req.on('response', (res) => reject(new Error(`no upgrade: ${res.statusCode}`)));
		req.on('upgrade', (res, socket) => {
			const mask = crypto.randomBytes(4);
			const body = Buffer.from(text).map((byte, i) => byte ^ mask[i % 4]);
			let got = Buffer.alloc(0);
			socket.on('data', (data) => {
				got = Buffer.concat([got, data]);
				if (got.length >= 2 + text.length) {
					resolve(got.subarray(2).toString());
					socket.destroy();
				}
			});
			socket.write(Buffer.concat([Buffer.from([0x81, 0x80 | text.length]), mask, body]));
		});
	});
}

async function flow() {
	const said = { tried, uname: await exec('uname -s') };
	said.length = to.command.length;
	said.install = await exec(to.command);
	const where = /listeningOn==(.*?)==/.exec(said.install.out)[1];
	said.alive = (await get(await forward(where), '/alive')).toString();
	said.bytes = (await get(await forward(where), '/bytes/4194304')).length;
	said.echo = await websocket(await forward(where), 'through a WebSocket');
	const many = await Promise.all(Array.from({ length: 20 }, async () => get(await forward(where), '/alive')));
	said.many = many.filter((m) => m.toString() === said.alive).length;
	return said;
}

function* methods() {
	yield { type: 'none', username: to.user };
	if (to.key) yield { type: 'publickey', username: to.user, key: fs.readFileSync(to.key) };
	if (to.password) yield { type: 'password', username: to.user, password: to.password };
	yield {
		type: 'keyboard-interactive', username: to.user,
		prompt: (name, instructions, lang, prompts, finish) => finish(prompts.map(() => to.asked)),
	};
}
const next = methods();

conn.on('ready', () => {
	flow().then((said) => console.log(JSON.stringify(said))).catch((error) => {
		console.error(error);
		process.exitCode = 1;
	}).finally(() => conn.end());
});
conn.on('error', (error) => { console.error(error); process.exitCode = 1; });
conn.connect({
	host: '127.0.0.1', port: to.port, username: to.user, readyTimeout: 60000,
	authHandler: (left, partial, callback) => {
		const { value } = next.next();
		if (value) tried.push(value.type);
		callback(value || false);
	},
});
