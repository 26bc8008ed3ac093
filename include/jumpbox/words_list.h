/*
 * The catalogue: every sentence that a user sees, in every language.  A row
 * without one of them does not compile.  {1} {2} {3} stand for the arguments.
 */
/* clang-format off */
WORD(W_MENU_HEAD_ONE,
    "{1} on {2}: 1 container\n\n",
    "{1} 在 {2}：1 个容器\n\n")
WORD(W_MENU_HEAD,
    "{1} on {2}: {3} containers\n\n",
    "{1} 在 {2}：{3} 个容器\n\n")
WORD(W_MENU_NONE,
    "{1} on {2}: there is no container that you may reach\n",
    "{1} 在 {2}：没有您可以进入的容器\n")
WORD(W_MENU_FILTERED,
    "{1}; these match:\n\n",
    "{1}；匹配的有：\n\n")
WORD(W_MENU_PROMPT,
    "\nContainer number or name (? help, r refresh, q quit): ",
    "\n容器编号或名称（? 帮助，r 刷新，q 退出）：")
WORD(W_PICK_PROMPT,
    "\nContainer number or name: ",
    "\n容器编号或名称：")
WORD(W_MENU_HELP,
    "\n"
    "  NUMBER or NAME   a shell in that container; a unique beginning is enough,\n"
    "                   and NODE+NAME tells two of one name apart\n"
    "  r                list again\n"
    "  q, Ctrl-D        leave\n",
    "\n"
    "  编号或名称       进入该容器的 shell；唯一的开头几个字母即可，\n"
    "                   同名容器用 节点+名称 区分\n"
    "  r                重新列出\n"
    "  q, Ctrl-D        离开\n")
WORD(W_NO_SUCH,
    "There is no container {1} that you may reach.\n",
    "没有您可以进入的容器 {1}。\n")
WORD(W_AMBIGUOUS,
    "{1} is ambiguous: {2} containers match.\n",
    "{1} 不明确：有 {2} 个容器匹配。\n")
WORD(W_CONNECTING,
    "Connecting to {1} (Ctrl-C gives up) ...\n",
    "正在连接 {1}（Ctrl-C 放弃）……\n")
WORD(W_ENDED,
    "{1}: ended with exit code {2}\n\n",
    "{1}：已结束，退出码 {2}\n\n")
WORD(W_ENDED_UNKNOWN,
    "{1}: ended; its exit code is not known\n\n",
    "{1}：已结束，退出码未知\n\n")
WORD(W_CANCELLED,
    "cancelled",
    "已取消")
WORD(W_NEW_PASSWORD_DUE,
    "Your password must be changed now.\n",
    "您现在必须修改密码。\n")
WORD(W_NEW_PASSWORD_TERMINAL,
    "your password must be changed first: log in with a terminal (ssh -t)\n",
    "必须先修改密码：请用终端登录（ssh -t）\n")
WORD(W_NEW_PASSWORD_ELSEWHERE,
    "your password must be changed first, which another of your terminals is asking for\n",
    "必须先修改密码，您的另一个终端正在询问\n")
WORD(W_NEW_PASSWORD,
    "New password: ",
    "新密码：")
WORD(W_NEW_PASSWORD_AGAIN,
    "New password again: ",
    "再次输入新密码：")
WORD(W_PASSWORDS_DIFFER,
    "The two are not the same.\n",
    "两次输入不一致。\n")
WORD(W_PASSWORD_TOO_LONG,
    "That is too long.\n",
    "太长了。\n")
WORD(W_PASSWORD_CHANGED,
    "Your password is changed.\n\n",
    "密码已修改。\n\n")
WORD(W_PASSWORD_GIVE_UP,
    "The password was not changed.\n",
    "密码未修改。\n")
WORD(W_NO_LIST,
    "jumpbox: the database does not answer; try again\n",
    "jumpbox：数据库没有响应，请重试\n")
WORD(W_NO_COMMAND,
    "jumpbox: {1}: no such command; try: help\n",
    "jumpbox：{1}：没有这个命令，请试：help\n")
WORD(W_HELP,
    "jumpbox commands, without a container in the user name:\n"
    "  help        this text\n"
    "  ls          the containers that you may reach\n"
    "  ls --json   the same as JSON\n"
    "With one, as in USER+CONTAINER or USER+NODE+CONTAINER, the command runs there.\n",
    "jumpbox 命令（用户名中不带容器时）：\n"
    "  help        本说明\n"
    "  ls          您可以进入的容器\n"
    "  ls --json   同上，JSON 格式\n"
    "用户名中带容器时（用户+容器 或 用户+节点+容器），命令在该容器中运行。\n")
WORD(W_HINT,
    "From your machine, straight into one: ssh -p {1} {2}+CONTAINER@{3}\n",
    "从您的机器直接进入容器：ssh -p {1} {2}+容器@{3}\n")
WORD(W_IDLE_WARNING,
    "\njumpbox: idle; this connection ends in a minute\n",
    "\njumpbox：空闲；此连接将在一分钟后结束\n")
WORD(W_IDLE_END,
    "the connection was idle for {1} seconds",
    "连接已空闲 {1} 秒")
WORD(W_STREAM_BROKEN,
    "jumpbox: the stream from the container broke off\n",
    "jumpbox：来自容器的数据流中断\n")
WORD(W_STATUS_UNKNOWN,
    "jumpbox: it has ended, but how is not known\n",
    "jumpbox：已结束，但结果未知\n")
WORD(W_LIST_TOO_LONG,
    "jumpbox: the list is too long for this terminal\n",
    "jumpbox：列表太长，此终端无法显示\n")
WORD(W_TOO_MANY_TRIES,
    "too many failed logins",
    "登录失败次数过多")
WORD(W_LOGIN_DEADLINE,
    "no login in time",
    "未在规定时间内登录")
WORD(W_NAME_CHANGED,
    "the user name may not change on one connection",
    "同一连接中不能更换用户名")
WORD(W_UNUSABLE_KEY,
    "the key or its signature cannot be used",
    "密钥或其签名无法使用")
WORD(W_FLOODED,
    "the client sends more than it was told to",
    "客户端发送的数据超出许可")
/* clang-format on */
