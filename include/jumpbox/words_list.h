/*
 * The catalogue: every sentence that a user sees, in every language.  A row
 * without one of them does not compile.  {1} {2} {3} stand for the arguments.
 */
/* clang-format off */
WORD(W_MENU_HEAD_ONE,
    "{1} on {2}: 1 container\n\n",
    "{1} 在 {2} 上：共 1 个容器\n\n")
WORD(W_MENU_HEAD,
    "{1} on {2}: {3} containers\n\n",
    "{1} 在 {2} 上：共 {3} 个容器\n\n")
WORD(W_MENU_NONE,
    "{1} on {2}: there is no container that you may reach\n",
    "{1} 在 {2} 上：没有您可以进入的容器\n")
WORD(W_MENU_FILTERED,
    "{1}; these match:\n\n",
    "{1}；匹配的有：\n\n")
WORD(W_MENU_PROMPT,
    "\nNumber or name (? help, q quit): ",
    "\n编号或名称（? 帮助，q 退出）：")
WORD(W_PICK_PROMPT,
    "\nContainer number or name: ",
    "\n容器编号或名称：")
WORD(W_MENU_HELP,
    "\n"
    "  NUMBER or NAME   a shell in that container; a unique beginning is enough,\n"
    "                   and NODE+NAME tells two of one name apart\n",
    "\n"
    "  编号或名称       在该容器中打开 shell；开头几个字符能唯一确定即可，\n"
    "                   同名容器用 节点+名称 区分\n")
WORD(W_PLAIN_INFO,
    "  i 3              what there is to know of number 3\n",
    "  i 3              3 号容器的详细信息\n")
WORD(W_PLAIN_LOGS,
    "  l 3              the last lines that it has written\n",
    "  l 3              它最近的日志\n")
WORD(W_PLAIN_FOLLOW,
    "  f 3              the same, and what it goes on to write\n",
    "  f 3              同上，并持续显示\n")
WORD(W_PLAIN_TOP,
    "  t 3              processor, memory, network and disk in use\n",
    "  t 3              处理器、内存、网络和磁盘的使用情况\n")
WORD(W_PLAIN_LINES,
    "  c 3              the lines for ssh, scp and VS Code\n",
    "  c 3              用于 ssh、scp 和 VS Code 的命令行\n")
WORD(W_PLAIN_START,
    "  start 3          start it\n",
    "  start 3          启动\n")
WORD(W_PLAIN_STOP,
    "  stop 3           stop it\n",
    "  stop 3           停止\n")
WORD(W_PLAIN_RESTART,
    "  restart 3        stop it and start it again\n",
    "  restart 3        重新启动\n")
WORD(W_MENU_HELP_END,
    "  /WORDS           only those with all these words; / alone shows all\n"
    "  r                list again\n"
    "  h, ?             this text\n"
    "  q, Ctrl-D        leave\n",
    "  /词              只列出包含所有这些词的容器；只输入 / 则全部列出\n"
    "  r                重新列出\n"
    "  h, ?             本说明\n"
    "  q, Ctrl-D        退出\n")
WORD(W_PLAIN_FOUND,
    "With {1}: {2}\n\n",
    "包含 {1}：{2}\n\n")
WORD(W_PLAIN_UNTIL,
    "Ctrl-C ends this.\n",
    "按 Ctrl-C 结束。\n")
WORD(W_CONFIRM_START,
    "Start {1}? [y/N] ",
    "启动 {1}？[y/N] ")
WORD(W_CONFIRM_STOP,
    "Stop {1}? [y/N] ",
    "停止 {1}？[y/N] ")
WORD(W_CONFIRM_RESTART,
    "Restart {1}? [y/N] ",
    "重启 {1}？[y/N] ")
WORD(W_POWER_WAIT,
    "Waiting for the engine (Ctrl-C gives up waiting) ...\n",
    "正在等待容器引擎（按 Ctrl-C 放弃等待）……\n")
WORD(W_POWER_NOT,
    "{1} is left as it is.\n",
    "{1} 保持不变。\n")
WORD(W_NO_SUCH,
    "There is no container {1} that you may reach.\n",
    "找不到您可以进入的容器 {1}。\n")
WORD(W_AMBIGUOUS,
    "{1} is ambiguous: {2} containers match.\n",
    "{1} 不唯一：匹配到 {2} 个容器。\n")
WORD(W_NOT_CHOSEN,
    "jumpbox: no container was chosen; one line with its number or name is read, or log in as {1}+CONTAINER\n",
    "jumpbox：没有选择容器；请输入一行编号或名称，或以 {1}+容器 登录\n")
WORD(W_CONNECTING,
    "Connecting to {1} (Ctrl-C gives up) ...\n",
    "正在连接 {1}（按 Ctrl-C 放弃）……\n")
WORD(W_ENDED,
    "{1}: ended with exit code {2}",
    "{1}：已结束，退出码 {2}")
WORD(W_ENDED_UNKNOWN,
    "{1}: ended; its exit code is not known",
    "{1}：已结束，退出码未知")
WORD(W_REASON,
    "jumpbox: {1}\n",
    "jumpbox：{1}\n")
WORD(W_CANCELLED,
    "cancelled",
    "已取消")
WORD(W_NEW_PASSWORD_DUE,
    "Your password must be changed now.\n",
    "您现在必须修改密码。\n")
WORD(W_NEW_PASSWORD_TERMINAL,
    "jumpbox: your password must be changed first: log in with a terminal (ssh -t)\n",
    "jumpbox：必须先修改密码；请用终端登录（ssh -t）\n")
WORD(W_NEW_PASSWORD_ELSEWHERE,
    "jumpbox: your password must be changed first, which another of your terminals is asking for\n",
    "jumpbox：必须先修改密码；您的另一个终端正在等待输入新密码\n")
WORD(W_PASSWORD,
    "Password: ",
    "密码：")
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
    "密码太长。\n")
WORD(W_PASSWORD_CHANGED,
    "Your password is changed.\n",
    "密码已修改。\n")
WORD(W_PASSWORD_GIVE_UP,
    "The password was not changed.\n",
    "密码未修改。\n")
WORD(W_NO_LIST,
    "jumpbox: the database does not answer; try again\n",
    "jumpbox：数据库没有响应；请重试\n")
WORD(W_NO_COMMAND,
    "jumpbox: {1}: no such command; try: help; or log in as {2}+CONTAINER to run it in one\n",
    "jumpbox：{1}：没有这个命令；请试试 help，或以 {2}+容器 登录，在容器中运行\n")
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
/* ---- of the broker: what may be said to a user of what went wrong -------- */
WORD(W_FAILED,
    "that failed on the jump host; ask its operator, whose log says why",
    "跳板机内部出错；请联系管理员，原因见其日志")
WORD(W_NO_DATABASE,
    "the database does not answer; try again",
    "数据库没有响应；请重试")
WORD(W_SHUTTING_DOWN,
    "the jump host is shutting down",
    "跳板机正在关闭")
WORD(W_RENEWAL_LATE,
    "the new password took too long; log in again",
    "修改密码超时；请重新登录")
WORD(W_LOGIN_BUSY,
    "the database is busy; try again in a moment",
    "数据库正忙；请稍后重试")
WORD(W_LOGIN_UNRECORDED,
    "the login could not be recorded, so it is refused; tell the operator",
    "无法记录此次登录，因此拒绝登录；请告知管理员")
WORD(W_SESSIONS_ALL,
    "this jump host has its {1} sessions: try again later",
    "此跳板机的会话数已达上限（{1} 个）；请稍后重试")
WORD(W_SESSIONS_USER,
    "{1} has {2} sessions open, which is the limit: leave one, then try again",
    "{1} 已打开 {2} 个会话，达到上限；请先退出一个再重试")
WORD(W_KILLED,
    "an administrator ended this session",
    "管理员结束了此会话")
WORD(W_KILLED_WHY,
    "an administrator ended this session: {1}",
    "管理员结束了此会话：{1}")
WORD(W_ACCOUNT_LOCKED,
    "your account is locked: ask an administrator",
    "您的账号已被锁定；请联系管理员")
WORD(W_ACCOUNT_EXPIRED,
    "your account is expired: ask an administrator",
    "您的账号已过期；请联系管理员")
WORD(W_ACCOUNT_ROLELESS,
    "your account is without a role: ask an administrator",
    "您的账号没有角色；请联系管理员")
WORD(W_ACCOUNT_DELETED,
    "your account is deleted: ask an administrator",
    "您的账号已被删除；请联系管理员")
WORD(W_WITHDRAWN,
    "your access to {1} was withdrawn",
    "您对 {1} 的访问权限已被收回")
WORD(W_PASSWORD_UNCHECKED,
    "the password could not be checked; try again",
    "无法验证密码；请重试")
WORD(W_PASSWORD_UNCHANGED,
    "the password could not be changed; try again",
    "无法修改密码；请重试")
WORD(W_PASSWORD_UNSTORED,
    "the password could not be stored; try again",
    "无法保存密码；请重试")
WORD(W_PASSWORD_OVERTAKEN,
    "an administrator changed your password meanwhile; log in with that one",
    "管理员在此期间修改了您的密码；请用管理员设置的密码登录")
WORD(W_PASSWORD_SAME,
    "the new password must not be the old one",
    "新密码不能与旧密码相同")
WORD(W_PASSWORD_SHORT,
    "a password needs at least {1} characters",
    "密码至少需要 {1} 个字符")
WORD(W_PASSWORD_LONG,
    "a password has at most {1} bytes",
    "密码最多 {1} 个字节")
WORD(W_PASSWORD_NAME,
    "a password must not be the user's name",
    "密码不能与用户名相同")
WORD(W_TARGET_UNKNOWN,
    "there is no container {1} that {2} may reach",
    "找不到 {2} 可以进入的容器 {1}")
WORD(W_TARGET_AMBIGUOUS,
    "{1} is ambiguous: {2} containers match",
    "{1} 不唯一：匹配到 {2} 个容器")
WORD(W_NOT_YOURS,
    "there is no such container, or it is not yours to reach",
    "找不到这个容器，或您无权进入")
WORD(W_MAY_NOT_SHELL,
    "you may not open a shell in {1}",
    "您无权在 {1} 中打开 shell")
WORD(W_MAY_NOT_EXEC,
    "you may not run a command in {1}",
    "您无权在 {1} 中运行命令")
WORD(W_ATTACH_BUSY,
    "the database is busy, so nothing was started; try again in a moment",
    "数据库正忙，因此没有启动任何程序；请稍后重试")
WORD(W_ATTACH_UNRECORDED,
    "the audit record could not be written, so nothing was started; tell the operator",
    "无法写入审计记录，因此没有启动任何程序；请告知管理员")
WORD(W_ATTACH_NONSENSE,
    "what the node says of this container makes no sense",
    "节点返回的该容器信息无法识别")
WORD(W_ATTACH_RENAMED,
    "the container has another name now",
    "该容器已改名")
WORD(W_ATTACH_LATE,
    "the node did not answer in time; try again",
    "节点未及时响应；请重试")
WORD(W_ATTACH_FAILED,
    "the container could not be entered; try again",
    "无法进入容器；请重试")
WORD(W_ATTACH_NODE_GONE,
    "the node of this container is not in use",
    "该容器所在的节点未启用")
WORD(W_ATTACH_MANY,
    "too much is open or ending here; try again",
    "打开的和正在结束的程序过多；请重试")
WORD(W_NO_DESCRIPTORS,
    "the jump host is out of descriptors; try again",
    "跳板机的文件描述符已用尽；请重试")
WORD(W_NO_PROCESSES,
    "the jump host has no process left; try again",
    "跳板机的进程数已用尽；请重试")
/* ---- of a node ----------------------------------------------------------- */
WORD(W_NODE_TIMEOUT,
    "node {1} did not answer in time",
    "节点 {1} 未及时响应")
WORD(W_NODE_NO_ENGINE,
    "node {1} gave an answer that is no container engine's; check its address",
    "节点 {1} 的响应不像是容器引擎的；请检查其地址")
WORD(W_NODE_CUT,
    "node {1} stopped in the middle of its answer; try again",
    "节点 {1} 的响应中途中断；请重试")
WORD(W_NODE_NO_CONNECTION,
    "node {1} cannot be reached: the connection failed",
    "无法连接节点 {1}：连接失败")
WORD(W_NODE_NO_SOCKET,
    "node {1} cannot be reached: its socket does not exist; is the container engine running?",
    "无法连接节点 {1}：其套接字不存在；容器引擎是否在运行？")
WORD(W_NODE_REFUSED,
    "node {1} cannot be reached: nothing listens at its address; is the container engine running?",
    "无法连接节点 {1}：其地址上没有程序在监听；容器引擎是否在运行？")
WORD(W_NODE_SOCKET_DENIED,
    "node {1} cannot be reached: no permission on its socket; the service user must be in the socket's group",
    "无法连接节点 {1}：没有其套接字的权限；服务用户必须在该套接字的用户组中")
WORD(W_NODE_NOT_PERMITTED,
    "node {1} cannot be reached: the connection is not permitted",
    "无法连接节点 {1}：不允许该连接")
WORD(W_NODE_NO_ROUTE,
    "node {1} cannot be reached: there is no route to it",
    "无法连接节点 {1}：没有到达它的路由")
WORD(W_NODE_NO_HOST,
    "node {1} cannot be reached: its host name is not known",
    "无法连接节点 {1}：无法解析其主机名")
WORD(W_NODE_CERT_CA,
    "node {1} shows a certificate that its CA did not sign",
    "节点 {1} 出示的证书不是由其 CA 签发的")
WORD(W_NODE_CERT_EARLY,
    "node {1} shows a certificate that is not valid yet; check the clocks",
    "节点 {1} 出示的证书尚未生效；请检查时钟")
WORD(W_NODE_CERT_EXPIRED,
    "node {1} shows an expired certificate",
    "节点 {1} 出示的证书已过期")
WORD(W_NODE_CERT_NAME,
    "node {1} shows a certificate for another host name",
    "节点 {1} 出示的证书属于另一个主机名")
WORD(W_NODE_CLIENT_CERT,
    "node {1} refused this host's client certificate",
    "节点 {1} 拒绝了本机的客户端证书")
WORD(W_NODE_CLIENT_CERT_EXPIRED,
    "node {1} refused this host's client certificate: it has expired",
    "节点 {1} 拒绝了本机的客户端证书：证书已过期")
WORD(W_NODE_CLIENT_CERT_CA,
    "node {1} refused this host's client certificate: its CA is not known there",
    "节点 {1} 拒绝了本机的客户端证书：该节点不信任其 CA")
WORD(W_NODE_NOT_TLS,
    "node {1} does not speak TLS at this port",
    "节点 {1} 的这个端口不使用 TLS")
WORD(W_NODE_TLS_REFUSED,
    "node {1} refused the TLS connection",
    "节点 {1} 拒绝了 TLS 连接")
WORD(W_NODE_TLS_FAILED,
    "node {1} does not complete a TLS connection",
    "节点 {1} 未能完成 TLS 连接")
WORD(W_NODE_TLS_DROPPED,
    "node {1} dropped the TLS connection: it probably refused this host's client certificate",
    "节点 {1} 断开了 TLS 连接：可能是拒绝了本机的客户端证书")
WORD(W_NODE_WANTS_TLS,
    "node {1} expects TLS; give it --ca, --cert and --key",
    "节点 {1} 要求 TLS；请为它配置 --ca、--cert 和 --key")
WORD(W_NODE_MATERIAL,
    "the CA, certificate or key stored for node {1} cannot be used; give them again with `jumpboxctl node set`",
    "为节点 {1} 保存的 CA、证书或密钥无法使用；请用 `jumpboxctl node set` 重新设置")
WORD(W_NODE_ADDRESS,
    "the address stored for node {1} cannot be used; give it again with `jumpboxctl node set`",
    "为节点 {1} 保存的地址无法使用；请用 `jumpboxctl node set` 重新设置")
WORD(W_NODE_VERSION,
    "node {1} runs a container engine of a version that does not fit",
    "节点 {1} 的容器引擎版本不符合要求")
WORD(W_NODE_OLD,
    "node {1} runs a container engine that is too old; update it",
    "节点 {1} 的容器引擎版本过旧；请升级")
WORD(W_NODE_DENIES,
    "node {1} does not permit this; check its access settings",
    "节点 {1} 不允许此操作；请检查其访问设置")
WORD(W_NODE_INTERNAL,
    "node {1} reports an internal error; its own log says more",
    "节点 {1} 报告内部错误；详情见其日志")
WORD(W_NODE_TOO_LARGE,
    "node {1} gave an answer that is too large",
    "节点 {1} 的响应过大")
WORD(W_NODE_UNASKED,
    "node {1} could not be asked",
    "无法向节点 {1} 发送请求")
/* ---- of a container ------------------------------------------------------- */
WORD(W_PAUSED,
    "the container is paused; unpause it first",
    "该容器已暂停；请先恢复运行")
WORD(W_RESTARTING,
    "the container is restarting; try again in a moment",
    "该容器正在重启；请稍后重试")
WORD(W_NOT_RUNNING,
    "the container is not running; start it first",
    "该容器未在运行；请先启动")
WORD(W_CONTAINER_GONE,
    "the container does not exist any more",
    "该容器已不存在")
WORD(W_CONTAINER_UNKNOWN,
    "there is no such container",
    "找不到这个容器")
WORD(W_NO_USER,
    "the user to run as does not exist in the container",
    "该容器中没有所指定的运行用户")
WORD(W_NO_GROUP,
    "the group to run as does not exist in the container",
    "该容器中没有所指定的运行用户组")
WORD(W_NO_SHELL,
    "the container has no shell: there is no `{1}` in its image",
    "该容器没有 shell：其镜像中没有 `{1}`")
WORD(W_NO_DIRECTORY,
    "the container's working directory cannot be entered",
    "无法进入该容器的工作目录")
WORD(W_COMMAND_TOO_LONG,
    "the command is too long",
    "命令过长")
WORD(W_COMMAND_NOT_UTF8,
    "the command is not UTF-8 text",
    "命令不是 UTF-8 文本")
WORD(W_SHELL_DENIED,
    "the container does not permit its shell to be run",
    "该容器不允许运行其 shell")
WORD(W_NODE_DISK_FULL,
    "the node's disk is full",
    "节点的磁盘已满")
WORD(W_NOT_STARTED,
    "the container engine could not start a process in the container",
    "容器引擎无法在该容器中启动进程")
/* ---- of actions, queries and changes ------------------------------------- */
WORD(W_POWER_REMOVED,
    "the container is being removed",
    "该容器正在被删除")
WORD(W_POWER_PORT,
    "a port that the container publishes is in use on its node",
    "该容器要发布的端口在其节点上已被占用")
WORD(W_POWER_PROGRAM,
    "the container's program cannot be run: it is missing in its image or not executable",
    "无法运行该容器的程序：镜像中没有该程序，或它不可执行")
WORD(W_POWER_GPU,
    "the GPU that the container asks for cannot be had on its node",
    "该容器所需的 GPU 在其节点上不可用")
WORD(W_POWER_NETWORK,
    "a network of the container cannot be had on its node",
    "该容器所需的网络在其节点上不可用")
WORD(W_POWER_FAILED,
    "the container engine could not do it; the node's own log says more",
    "容器引擎未能完成此操作；详情见节点的日志")
WORD(W_ACTION_BROKE,
    "the node could not be asked; try again",
    "无法向节点发送请求；请重试")
WORD(W_NOT_RECORDED,
    "the audit record could not be written, so nothing was done; tell the operator",
    "无法写入审计记录，因此未执行任何操作；请告知管理员")
WORD(W_NO_POWER,
    "you may not start or stop {1}",
    "您无权启动或停止 {1}")
WORD(W_NO_LOGS,
    "you may not read the logs of {1}",
    "您无权查看 {1} 的日志")
WORD(W_NO_RUN_AS,
    "you may not be {1} in {2}",
    "您在 {2} 中不能以 {1} 的身份运行")
WORD(W_NO_SHELL_NAME,
    "a shell is a plain name or an absolute path",
    "shell 应为名称或绝对路径")
WORD(W_STARTED,
    "{1} is started",
    "{1} 已启动")
WORD(W_STOPPED,
    "{1} is stopped",
    "{1} 已停止")
WORD(W_RESTARTED,
    "{1} is restarted",
    "{1} 已重启")
WORD(W_ALREADY_STARTED,
    "{1} was running already",
    "{1} 已在运行")
WORD(W_ALREADY_STOPPED,
    "{1} was not running",
    "{1} 本来就没有运行")
WORD(W_ADMIN_ONLY,
    "that is for administrators",
    "仅限管理员使用")
WORD(W_NO_SUCH_KEY,
    "there is no such key; see: keys list",
    "没有这个密钥；请查看：keys list")
WORD(W_NO_SUCH_SESSION,
    "there is no such live session; see: who",
    "没有这个当前会话；请查看：who")
WORD(W_KEY_ADDED,
    "the key {1} is added",
    "已添加密钥 {1}")
WORD(W_KEY_EXISTS,
    "that key is there already",
    "该密钥已存在")
WORD(W_NOT_STORED,
    "it could not be stored",
    "无法保存")
WORD(W_KEY_UNUSABLE,
    "that is no public key that can be used; give the one line of a file that ends in .pub, of type"
    " ssh-ed25519, ecdsa-sha2-nistp256/384/521 or ssh-rsa (2048 bits or more)",
    "这不是可用的公钥；请给出 .pub 文件中的那一行，类型为"
    " ssh-ed25519、ecdsa-sha2-nistp256/384/521 或 ssh-rsa（2048 位以上）")
WORD(W_KEY_MOST,
    "you have as many keys as there may be; remove one first",
    "您的密钥数已达上限；请先删除一个")
WORD(W_KEYS_FORBIDDEN,
    "public keys are managed by the administrators here",
    "此处的公钥由管理员管理")
WORD(W_NO_NUMBER,
    "a session is named by its number; see: who",
    "请用编号指定会话；参见 who")
WORD(W_OLD_PASSWORD_WRONG,
    "the old password is wrong",
    "旧密码错误")
WORD(W_PASSWORD_WAIT,
    "there were too many wrong passwords; wait a while",
    "密码错误次数过多；请稍后重试")
WORD(W_PASSWORD_NONE,
    "this account has no password; ask an administrator for one",
    "此账号没有密码；请向管理员申请")
WORD(W_LOGS_UNREADABLE,
    "the container's output is not kept where it could be read",
    "该容器的输出没有保存在可读取的地方")
WORD(W_RECORDING_IMPOSSIBLE,
    "this terminal has to be recorded and cannot be, so nothing was started; tell the operator",
    "此终端必须录制但无法录制，因此没有启动任何程序；请告知管理员")
WORD(W_REPLAY_NO_SESSION,
    "there is no session {1}",
    "没有会话 {1}")
WORD(W_REPLAY_NONE,
    "session {1} has no recording",
    "会话 {1} 没有录制记录")
WORD(W_REPLAY_NOT_LIVE,
    "nothing of session {1} is being recorded now",
    "会话 {1} 当前没有正在录制的终端")
WORD(W_REPLAY_WHICH,
    "session {1} has several recordings; say the number of one as well: {2}",
    "会话 {1} 有多个录制记录；请再指定编号：{2}")
WORD(W_REPLAY_NO_SUCH,
    "session {1} has no recording {2}",
    "会话 {1} 没有编号为 {2} 的录制记录")
WORD(W_REPLAY_GONE,
    "the file of that recording is not on this host",
    "该录制记录的文件不在本机上")
WORD(W_REPLAY_DAMAGED,
    "the recording is damaged from here on",
    "该录制记录从此处起已损坏")
WORD(W_ACCOUNT_DEMOTED,
    "you are no administrator any more: log in again",
    "您不再是管理员；请重新登录")
WORD(W_HELP_REPLAY,
    "  replay ID [N]                administrators: play a session's recording (ssh -t)\n",
    "  replay 编号 [N]              管理员：播放会话的录制记录（ssh -t）\n")
WORD(W_HELP_WATCH,
    "  watch ID [N]                 administrators: look on while a session is recorded\n",
    "  watch 编号 [N]               管理员：实时观看正在录制的会话\n")
WORD(W_REPLAY_TERMINAL,
    "jumpbox: a recording is played on a terminal: ssh -t\n",
    "jumpbox：播放录制记录需要终端：ssh -t\n")
WORD(W_REPLAY_BEGIN,
    "{1}, {2}; space pauses, q leaves\n",
    "{1}，{2}；空格键暂停，q 退出\n")
WORD(W_WATCH_BEGIN,
    "{1}, since {2}; q leaves\n",
    "{1}，始于 {2}；q 退出\n")
WORD(W_REPLAY_SMALL,
    "This terminal is smaller than the recorded one ({1}): only what fits is shown.\n",
    "此终端小于被录制的终端（{1}）：只显示放得下的部分。\n")
WORD(W_REPLAY_CUT,
    "This terminal is smaller than what was shown ({1} at last): it was cut.\n",
    "此终端小于所显示的终端（最后为 {1}）：内容被截断。\n")
WORD(W_REPLAY_END,
    "The recording ends here.\n",
    "录制到此结束。\n")
WORD(W_WATCH_END,
    "The terminal has ended.\n",
    "该终端已结束。\n")
WORD(W_RECORDED,
    "jumpbox: this terminal is recorded\n",
    "jumpbox：此终端正在被录制\n")
WORD(W_RECORDING_FULL,
    "\njumpbox: the recording of this terminal has reached its limit, so the terminal ends\n",
    "\njumpbox：此终端的录制已达上限，因此终端会话结束\n")
WORD(W_RECORDING_FAILED,
    "\njumpbox: the recording of this terminal cannot be written, so the terminal ends; tell the operator\n",
    "\njumpbox：无法写入此终端的录制，因此终端会话结束；请告知管理员\n")
WORD(W_CODE_PROMPT,
    "One-time code: ",
    "一次性验证码：")
WORD(W_ENROL_DUE,
    "One-time codes must be set up for your account now.\n",
    "您的账号现在必须设置一次性验证码。\n")
WORD(W_ENROL_TERMINAL,
    "jumpbox: one-time codes must be set up first: log in with a terminal (ssh -t)\n",
    "jumpbox：必须先设置一次性验证码；请用终端登录（ssh -t）\n")
WORD(W_TOTP_TERMINAL,
    "jumpbox: one-time codes are set up in a terminal (ssh -t)\n",
    "jumpbox：一次性验证码须在终端中设置（ssh -t）\n")
WORD(W_ENROL_ELSEWHERE,
    "jumpbox: another of your terminals is setting up one-time codes\n",
    "jumpbox：您的另一个终端正在设置一次性验证码\n")
WORD(W_ENROL_URL,
    "Scan this with an authenticator app, or open it, or type in the secret below:\n{1}\n",
    "请用验证器应用扫描，或打开此链接，或手工输入下面的密钥：\n{1}\n")
WORD(W_QR_TOO_BIG,
    "(This terminal is too small for a QR code.)\n",
    "（此终端太小，无法显示二维码。）\n")
WORD(W_ENROL_SECRET,
    "Secret: {1}\n",
    "密钥：{1}\n")
WORD(W_PRESENT_CODE,
    "Present one-time code: ",
    "当前的一次性验证码：")
WORD(W_NEW_CODE,
    "Code that the app shows: ",
    "应用显示的验证码：")
WORD(W_WRONG_CODE,
    "That code is not right.\n",
    "验证码不正确。\n")
WORD(W_ENROL_GIVE_UP,
    "One-time codes were not set up.\n",
    "一次性验证码未设置。\n")
WORD(W_RECOVERY_CODES,
    "\nOne-time codes are set up: your next login asks for one.\n"
    "Without the app each of these recovery codes lets you in once. They are not shown again:\n\n",
    "\n一次性验证码已设置：下次登录时需要输入。\n"
    "无法使用验证器应用时，下面的每个恢复码可以用来登录一次。它们不会再次显示：\n\n")
WORD(W_RECOVERY_KEEP,
    "\nKeep them, then press Enter: ",
    "\n请保存好，然后按回车：")
WORD(W_RECOVERY_LEFT,
    "Recovery codes left: {1}. The command totp makes new ones.\n",
    "剩余恢复码：{1} 个。命令 totp 可生成新的恢复码。\n")
WORD(W_TOO_MANY_CODES,
    "too many wrong codes",
    "验证码错误次数过多")
WORD(W_CODES_WAIT,
    "too many wrong codes lately; try again later",
    "近期验证码错误次数过多；请稍后重试")
WORD(W_ENROL_LATE,
    "setting up one-time codes took too long; log in again",
    "设置一次性验证码超时；请重新登录")
WORD(W_ENROLLED_MEANWHILE,
    "one-time codes were set up on another connection meanwhile; log in again",
    "另一个连接刚刚设置了一次性验证码；请重新登录")
WORD(W_ENROL_UNSTORED,
    "the one-time codes could not be stored; try again",
    "无法保存一次性验证码设置；请重试")
WORD(W_ACCESS_ENDS,
    "\njumpbox: your access to this container ends in {1} min\n",
    "\njumpbox：您对此容器的访问权限将在 {1} 分钟后到期\n")
WORD(W_ACCESS_ENDS_LISTED,
    "Your access to {1} ends in {2} min.\n",
    "您对 {1} 的访问权限将在 {2} 分钟后到期。\n")
WORD(W_ACCESSES_END,
    "Your access to {1} and {3} more ends in {2} min.\n",
    "您对 {1} 等容器（另有 {3} 个）的访问权限将在 {2} 分钟后到期。\n")
WORD(W_SHELL_ACCOUNT_ENDS,
    "jumpbox: your account expires on {1}\n",
    "jumpbox：您的账号将于 {1} 到期\n")
WORD(W_ACCOUNT_ENDS,
    "Your account expires on {1}.\n",
    "您的账号将于 {1} 到期。\n")
/* ---- of jumpbox's own commands --------------------------------------------- */
WORD(W_SAID,
    "{1}\n",
    "{1}\n")
WORD(W_ANSWER_YES,
    "yes",
    "是")
WORD(W_ANSWER_NO,
    "no",
    "否")
WORD(W_USAGE,
    "jumpbox: usage:\n",
    "jumpbox：用法：\n")
WORD(W_HELP_HEAD,
    "jumpbox commands, without a container in the user name:\n",
    "jumpbox 命令（用户名中不带容器时）：\n")
WORD(W_HELP_HELP,
    "  help                         this text\n",
    "  help                         本说明\n")
WORD(W_HELP_LS,
    "  ls [--json] [WORD ...]       the containers that you may reach, with all these words\n",
    "  ls [--json] [词 ...]         您可以进入的容器，可按词筛选\n")
WORD(W_HELP_SHOW,
    "  show [--json] NAME           what there is to know of a container\n",
    "  show [--json] 名称           容器的详细信息\n")
WORD(W_HELP_LOGS,
    "  logs [-f] [-n LINES] NAME    what it has written; -f: and goes on to write\n",
    "  logs [-f] [-n 行数] 名称     容器的日志；-f：持续显示\n")
WORD(W_HELP_TOP,
    "  top [--json] [NAME]          processor, memory, network and disk in use\n",
    "  top [--json] [名称]          处理器、内存、网络和磁盘的使用情况\n")
WORD(W_HELP_START,
    "  start NAME                   start it\n",
    "  start 名称                   启动\n")
WORD(W_HELP_STOP,
    "  stop NAME                    stop it\n",
    "  stop 名称                    停止\n")
WORD(W_HELP_RESTART,
    "  restart NAME                 stop it and start it again\n",
    "  restart 名称                 重新启动\n")
WORD(W_HELP_EXEC,
    "  exec [-u USER] NAME -- CMD   run a command there, as with USER+CONTAINER\n",
    "  exec [-u 用户] 名称 -- 命令  在容器中运行命令，与 用户+容器 相同\n")
WORD(W_HELP_HOSTS,
    "  hosts                        a Host block of ssh_config for each container\n",
    "  hosts                        每个容器的 ssh_config Host 段\n")
WORD(W_HELP_WHOAMI,
    "  whoami [--json]              your account and what it is granted\n",
    "  whoami [--json]              您的账号及其授权\n")
WORD(W_HELP_PASSWD,
    "  passwd [--password-stdin]    another password, asked for in a terminal (ssh -t); or the\n"
    "                               old and the new one are read, a line each\n",
    "  passwd [--password-stdin]    修改密码：在终端中询问（ssh -t），或从标准输入读取\n"
    "                               旧密码和新密码，各占一行\n")
WORD(W_HELP_KEYS,
    "  keys [--json] list           your public keys\n"
    "  keys add [KEY]               one more; without KEY it is asked for or read\n"
    "  keys del FINGERPRINT         one less\n",
    "  keys [--json] list           您的公钥\n"
    "  keys add [公钥]              添加公钥；省略时会询问，或从标准输入读取\n"
    "  keys del 指纹                删除公钥\n")
WORD(W_HELP_TOTP,
    "  totp                         one-time codes for your login (needs a terminal: ssh -t)\n",
    "  totp                         设置登录用的一次性验证码（需要终端：ssh -t）\n")
WORD(W_HELP_WHO,
    "  who [--json]                 administrators: live sessions\n",
    "  who [--json]                 管理员：当前会话\n")
WORD(W_HELP_KILL,
    "  kill ID [REASON]             administrators: end a session\n",
    "  kill 编号 [原因]             管理员：结束会话\n")
WORD(W_HELP_NODES,
    "  nodes [--json]               administrators: the container engines\n",
    "  nodes [--json]               管理员：容器引擎节点\n")
WORD(W_HELP_TAIL,
    "NAME is a container's name, its unique beginning or NODE+NAME.\n"
    "With one in the user name, as in USER+CONTAINER or USER+NODE+CONTAINER, the command runs there.\n",
    "名称可以是容器名、能唯一确定的开头几个字符，或 节点+名称。\n"
    "用户名中带容器时（用户+容器 或 用户+节点+容器），命令在该容器中运行。\n")
WORD(W_NO_SERVER_ADDRESS,
    "jumpbox: the operator has not said how clients name this server (server-address)\n",
    "jumpbox：管理员尚未配置客户端使用的服务器地址（server-address）\n")
WORD(W_TOP_MOST,
    "jumpbox: these are the first {1}; name one to see another\n",
    "jumpbox：以下为前 {1} 个；如需查看其他容器请给出名称\n")
WORD(W_KEY_REMOVED,
    "the key is removed",
    "已删除密钥")
WORD(W_KILL_ASKED,
    "that session is being ended",
    "正在结束该会话")
WORD(W_OLD_PASSWORD,
    "Old password: ",
    "旧密码：")
WORD(W_PASSWD_TERMINAL,
    "jumpbox: passwd needs a terminal (ssh -t), or --password-stdin\n",
    "jumpbox：passwd 需要终端（ssh -t）或 --password-stdin\n")
WORD(W_PASSWD_ELSEWHERE,
    "jumpbox: another of your terminals is asking for a password\n",
    "jumpbox：您的另一个终端正在等待输入密码\n")
WORD(W_TABLE_ID,
    "ID",
    "编号")
WORD(W_TABLE_USER,
    "USER",
    "用户")
WORD(W_TABLE_SOURCE,
    "FROM",
    "来源")
WORD(W_TABLE_METHOD,
    "LOGIN",
    "登录方式")
WORD(W_TABLE_STARTED,
    "SINCE",
    "开始时间")
WORD(W_TABLE_CONTAINER,
    "CONTAINER",
    "容器")
WORD(W_TABLE_HOST,
    "HOST",
    "主机")
WORD(W_TABLE_NODE,
    "NODE",
    "节点")
WORD(W_TABLE_STATE,
    "STATE",
    "状态")
WORD(W_TABLE_SINCE,
    "SINCE",
    "自")
WORD(W_TABLE_LAST_SEEN,
    "LAST SEEN",
    "最后响应")
WORD(W_TABLE_ADDRESS,
    "ADDRESS",
    "地址")
WORD(W_TABLE_REGION,
    "REGION",
    "区域")
WORD(W_TABLE_ENABLED,
    "IN USE",
    "启用")
WORD(W_TABLE_ERROR,
    "ERROR",
    "错误")
WORD(W_TABLE_FINGERPRINT,
    "FINGERPRINT",
    "指纹")
WORD(W_TABLE_ALGORITHM,
    "TYPE",
    "类型")
WORD(W_TABLE_COMMENT,
    "COMMENT",
    "注释")
WORD(W_TABLE_FROM,
    "ONLY FROM",
    "限定来源")
WORD(W_TABLE_UNTIL,
    "UNTIL",
    "有效至")
WORD(W_TABLE_CREATED,
    "CREATED",
    "创建时间")
WORD(W_TABLE_NAME,
    "Name",
    "名称")
WORD(W_TABLE_ROLE,
    "Role",
    "角色")
WORD(W_TABLE_LOGGED_IN_FROM,
    "From",
    "来源")
WORD(W_TABLE_LAST_LOGIN,
    "Last login",
    "上次登录")
WORD(W_TABLE_EXPIRES,
    "Expires",
    "过期时间")
WORD(W_TABLE_PASSWORD,
    "Password",
    "密码")
WORD(W_TABLE_LANGUAGE,
    "Language",
    "语言")
WORD(W_TABLE_MENU,
    "Menu",
    "菜单")
WORD(W_TABLE_SESSION,
    "Session",
    "会话")
WORD(W_TABLE_GROUP,
    "Group",
    "用户组")
WORD(W_TABLE_GRANT,
    "Grant",
    "授权")
WORD(W_GRANT_ALLOW,
    "{1} allow {2}",
    "{1}：允许 {2}")
WORD(W_GRANT_AS,
    " as {1}",
    "，以 {1} 身份")
WORD(W_GRANT_UNTIL,
    " until {1}",
    "，有效至 {1}")
WORD(W_DETAIL_NAME,
    "Name",
    "名称")
WORD(W_DETAIL_ID,
    "Id",
    "容器 ID")
WORD(W_DETAIL_NODE,
    "Node",
    "节点")
WORD(W_DETAIL_STATE,
    "State",
    "状态")
WORD(W_DETAIL_HEALTH,
    "Health",
    "健康状况")
WORD(W_DETAIL_EXIT_CODE,
    "Exit code",
    "退出码")
WORD(W_DETAIL_OOM,
    "Out of memory",
    "内存耗尽")
WORD(W_DETAIL_IMAGE,
    "Image",
    "镜像")
WORD(W_DETAIL_COMMAND,
    "Command",
    "命令")
WORD(W_DETAIL_USER,
    "User",
    "用户")
WORD(W_DETAIL_WORKDIR,
    "Directory",
    "工作目录")
WORD(W_DETAIL_CREATED,
    "Created",
    "创建时间")
WORD(W_DETAIL_STARTED,
    "Started",
    "启动时间")
WORD(W_DETAIL_FINISHED,
    "Ended",
    "结束时间")
WORD(W_DETAIL_RESTART,
    "Restart policy",
    "重启策略")
WORD(W_DETAIL_GPU,
    "GPU",
    "GPU")
WORD(W_DETAIL_PORT,
    "Ports",
    "端口")
WORD(W_DETAIL_NETWORK,
    "Networks",
    "网络")
WORD(W_DETAIL_MOUNT,
    "Mounts",
    "挂载")
WORD(W_DETAIL_LABEL,
    "Labels",
    "标签")
WORD(W_DETAIL_ENV,
    "Environment",
    "环境变量")
WORD(W_DETAIL_RUN_AS,
    "Run as",
    "运行身份")
WORD(W_STATS_CPU,
    "CPU",
    "CPU")
WORD(W_STATS_MEM,
    "MEMORY / LIMIT",
    "内存 / 上限")
WORD(W_STATS_MEM_SHARE,
    "MEMORY",
    "内存")
WORD(W_STATS_NET,
    "NETWORK IN / OUT",
    "网络 入 / 出")
WORD(W_STATS_BLOCK,
    "DISK IN / OUT",
    "磁盘 读 / 写")
WORD(W_STATS_PIDS,
    "PIDS",
    "进程")
WORD(W_UI_WHERE, "{1} on {2}", "{1} 在 {2}")
WORD(W_UI_COUNT_ONE, "1 container", "1 个容器")
WORD(W_UI_COUNT, "{1} containers", "{1} 个容器")
WORD(W_UI_COUNT_OF, "{1} of {2} containers", "{2} 个容器中的 {1} 个")
WORD(W_UI_LOADING, "loading ...", "正在载入……")
WORD(W_UI_SORTED, "sorted by {1}", "按{1}排序")
WORD(W_UI_SORT_RECENT, "last use", "最近使用")
WORD(W_UI_SORT_NAME, "name", "名称")
WORD(W_UI_SORT_NODE, "node", "节点")
WORD(W_UI_SORT_STATE, "state", "状态")
WORD(W_UI_SORT_AGE, "time in that state", "状态时长")
WORD(W_UI_NONE, "There is no container that you may reach.", "没有您可以进入的容器。")
WORD(W_UI_NO_MATCH, "No container matches. Esc shows all.", "没有匹配的容器。按 Esc 显示全部。")
WORD(W_UI_FILTER, "Filter: ", "筛选：")
WORD(W_UI_NUMBER, "Number: {1}", "编号：{1}")
WORD(W_UI_NUMBER_IS, "Number: {1}  {2} on {3}", "编号：{1}  {3} 上的 {2}")
WORD(W_UI_NO_NUMBER, "There is no container with the number {1}.", "没有编号为 {1} 的容器。")
WORD(W_UI_SMALL, "too small", "终端太小")
WORD(W_UI_MORE, "{1} to {2} of {3}", "第 {1} 至 {2} 行，共 {3} 行")
WORD(W_UI_NO_LIST, "The database does not answer; r tries again.", "数据库没有响应；按 r 重试。")
WORD(W_UI_NO_TERM,
    "Terminal type {1} is not known here, so this is the plain menu.\n",
    "不支持终端类型 {1}，因此使用简单菜单。\n")
WORD(W_COL_NUMBER, "NO", "编号")
WORD(W_COL_NAME, "NAME", "名称")
WORD(W_COL_STATE, "STATE", "状态")
WORD(W_COL_HEALTH, "HEALTH", "健康")
WORD(W_COL_NODE, "NODE", "节点")
WORD(W_COL_SERVICE, "SERVICE", "服务")
WORD(W_COL_IMAGE, "IMAGE", "镜像")
WORD(W_COL_PORTS, "PORTS", "端口")
WORD(W_COL_OWNER, "OWNER", "所有者")
WORD(W_COL_GPU, "GPU", "GPU")
WORD(W_COL_AGE, "SINCE", "时长")
WORD(W_STATE_RUNNING, "running", "运行中")
WORD(W_STATE_EXITED, "exited {1}", "已退出 {1}")
WORD(W_STATE_OOM, "out of memory", "内存耗尽")
WORD(W_STATE_PAUSED, "paused", "已暂停")
WORD(W_STATE_RESTARTING, "restarting", "重启中")
WORD(W_STATE_CREATED, "created", "已创建")
WORD(W_STATE_DEAD, "dead", "已失效")
WORD(W_STATE_REMOVING, "removing", "删除中")
WORD(W_STATE_UNREACHABLE, "unreachable", "无法连接")
WORD(W_NODE_CONNECTED, "connected", "已连接")
WORD(W_NODE_FAILED, "failed", "故障")
WORD(W_NODE_UNKNOWN, "unknown", "未知")
WORD(W_ROLE_ADMIN, "admin", "管理员")
WORD(W_ROLE_USER, "user", "普通用户")
WORD(W_MENU_FULL, "full", "全屏")
WORD(W_MENU_PLAIN, "plain", "列表")
WORD(W_HEALTH_HEALTHY, "healthy", "健康")
WORD(W_HEALTH_UNHEALTHY, "unhealthy", "不健康")
WORD(W_HEALTH_STARTING, "starting", "启动中")
WORD(W_AGE_MINUTES, "{1}m", "{1} 分")
WORD(W_AGE_HOURS, "{1}h", "{1} 时")
WORD(W_AGE_DAYS, "{1}d", "{1} 天")
WORD(W_YES, "yes", "是")
WORD(W_KEY_TEXT, "letters", "文字")
WORD(W_DO_CONNECT, "a shell in the container", "进入容器的 shell")
WORD(W_DO_NUMBER, "the container with that number; Enter connects", "该编号的容器；回车进入")
WORD(W_DO_ERASE, "take back the last character", "删除最后一个字符")
WORD(W_DO_UP, "one up", "上移一行")
WORD(W_DO_DOWN, "one down", "下移一行")
WORD(W_DO_PAGE_UP, "a screen up", "上移一屏")
WORD(W_DO_PAGE_DOWN, "a screen down", "下移一屏")
WORD(W_DO_FIRST, "the first", "第一行")
WORD(W_DO_LAST, "the last", "最后一行")
WORD(W_DO_FILTER, "show only what has certain words in it", "只显示含有某些词的容器")
WORD(W_DO_FILTER_TYPE, "words of a name, id, image, node, label, owner, service", "名称、id、镜像、节点、标签、所有者或服务中的词")
WORD(W_DO_FILTER_KEEP, "keep the filter and go on with the other keys", "保留筛选，继续使用其他键")
WORD(W_DO_FILTER_DROP, "leave the filter: show all", "退出筛选：显示全部")
WORD(W_DO_KILL, "empty it", "清空")
WORD(W_DO_WORD, "take back the last word", "删除最后一个词")
WORD(W_DO_ALL, "show all again", "重新显示全部")
WORD(W_DO_SORT, "sort by something else", "换一种排序")
WORD(W_DO_AGAIN, "list anew", "重新列出")
WORD(W_DO_HELP, "this help", "本帮助")
WORD(W_DO_BACK, "back", "返回")
WORD(W_DO_REDRAW, "draw the screen anew", "重绘屏幕")
WORD(W_DO_LEAVE, "leave", "退出")
WORD(W_HINT_CONNECT, "connect", "进入")
WORD(W_HINT_FILTER, "filter", "筛选")
WORD(W_HINT_SORT, "sort", "排序")
WORD(W_HINT_HELP, "help", "帮助")
WORD(W_HINT_LEAVE, "quit", "退出")
WORD(W_HINT_BACK, "back", "返回")
WORD(W_HINT_KEEP, "keep", "保留")
WORD(W_HINT_ALL, "all", "全部")
WORD(W_HELP_TITLE, "Keys", "按键")
WORD(W_HELP_IN_FILTER, "While a filter is typed", "输入筛选时")
WORD(W_UI_MAY_NOT, "You may not do that with {1}.", "您无权对 {1} 执行此操作。")
WORD(W_UI_POWER_WAIT, "Waiting for the engine ...", "正在等待容器引擎……")
WORD(W_UI_SEARCH, "Search: ", "查找：")
WORD(W_UI_NOT_FOUND, "{1}: not found", "找不到 {1}")
WORD(W_UI_ASK_USER, "User there (empty: as the grant says): ", "容器内用户（留空则按授权）：")
WORD(W_UI_ASK_SHELL, "Shell (empty: the login shell): ", "Shell（留空则为登录 shell）：")
WORD(W_UI_FOLLOWING, "following", "持续显示")
WORD(W_UI_DETAILS_OF, "Details of {1}", "{1} 的详细信息")
WORD(W_UI_LOGS_OF, "Logs of {1}", "{1} 的输出")
WORD(W_UI_LINES_OF, "Ways to {1}", "连接 {1} 的方式")
WORD(W_UI_NEWS, "Messages", "消息")
WORD(W_UI_NO_NEWS, "There is no message.", "没有消息。")
WORD(W_UI_NEWS_MORE, "{1} (m shows all)", "{1}（按 m 查看全部）")
WORD(W_UI_LOG_ENDED, "It has written no more than this.", "输出到此为止。")
WORD(W_DO_TYPE, "what is asked for", "输入内容")
WORD(W_DO_DETAILS, "details, and what it uses just now", "详细信息和当前资源使用情况")
WORD(W_DO_LOGS, "what it has written, and goes on to write", "查看其输出，并持续显示")
WORD(W_DO_LINES, "the lines for ssh, scp and VS Code", "用于 ssh、scp 和 VS Code 的命令行")
WORD(W_DO_AS, "a shell as another user, or another shell", "以其他用户或其他 shell 进入")
WORD(W_DO_START, "start it, after a question", "启动（需确认）")
WORD(W_DO_STOP, "stop it, after a question", "停止（需确认）")
WORD(W_DO_RESTART, "stop it and start it again, after a question", "重新启动（需确认）")
WORD(W_DO_NEWS, "the message of the day", "今日消息")
WORD(W_DO_FOLLOW, "stay at the end as it grows, or not", "是否始终停在末尾")
WORD(W_DO_SEARCH, "search", "查找")
WORD(W_DO_NEXT, "the next place where that is", "下一处")
WORD(W_DO_PREVIOUS, "the one before", "上一处")
WORD(W_DO_LEFT, "to the left", "向左")
WORD(W_DO_RIGHT, "to the right", "向右")
WORD(W_DO_ACCEPT, "that is it", "确定")
WORD(W_DO_CANCEL, "rather not", "取消")
WORD(W_DO_YES, "do it", "执行")
WORD(W_DO_NO, "do not", "不执行")
WORD(W_HINT_DETAILS, "details", "详情")
WORD(W_HINT_LOGS, "logs", "输出")
WORD(W_HINT_FOLLOW, "follow", "跟随")
WORD(W_HINT_SEARCH, "search", "查找")
WORD(W_HINT_ACCEPT, "go on", "继续")
WORD(W_HINT_CANCEL, "cancel", "取消")
WORD(W_HINT_YES, "yes", "是")
WORD(W_HINT_NO, "no", "否")
WORD(W_HELP_IN_PAGE, "While something is read", "阅读内容时")
WORD(W_TABLE_ENDED, "ENDED", "结束时间")
WORD(W_HELP_RECORDINGS,
    "  recordings [--json]          administrators: the newest recordings\n",
    "  recordings [--json]          管理员：最近的录制记录\n")
WORD(W_PLAIN_WHO,
    "  who              administrators: who is logged in\n",
    "  who              管理员：当前登录的会话\n")
WORD(W_PLAIN_RECORDINGS,
    "  recordings       administrators: the newest recordings of terminals\n",
    "  recordings       管理员：最近的终端录制记录\n")
WORD(W_PLAIN_WATCH,
    "  watch ID [N]     administrators: look on while a session is recorded\n",
    "  watch 编号 [N]   管理员：实时观看正在录制的会话\n")
WORD(W_PLAIN_REPLAY,
    "  replay ID [N]    administrators: play a session's recording\n",
    "  replay 编号 [N]  管理员：播放会话的录制记录\n")
WORD(W_PLAIN_SESSION,
    "Which session? Say its number: who and recordings list them.\n",
    "哪个会话？请输入会话编号：who 和 recordings 可列出会话。\n")
WORD(W_UI_SESSIONS, "Sessions", "会话")
WORD(W_UI_RECORDINGS, "Recordings", "录制记录")
WORD(W_UI_ASK_WATCH, "Watch session (ID, or ID N): ", "观看会话（编号，或 编号 N）：")
WORD(W_UI_ASK_REPLAY, "Play the recording of session (ID, or ID N): ", "播放会话的录制记录（编号，或 编号 N）：")
WORD(W_UI_NO_SESSION, "A session's number is wanted.", "需要会话编号。")
WORD(W_DO_WHO, "administrators: sessions and recordings", "管理员：会话和录制记录")
WORD(W_DO_WATCH, "look on while a session is recorded", "实时观看正在录制的会话")
WORD(W_DO_REPLAY, "play a session's recording", "播放会话的录制记录")
WORD(W_HINT_WATCH, "watch", "观看")
WORD(W_HINT_REPLAY, "play", "播放")
WORD(W_HELP_IN_SESSIONS, "While sessions are read", "查看会话时")
WORD(W_PLAIN_AS,
    "  u 3              a shell as another user, or another shell\n",
    "  u 3              以其他用户或其他 shell 进入\n")
WORD(W_DETAIL_CUT, "Cut short", "已截断")
WORD(W_KEY_PROMPT, "Public key: ", "公钥：")
WORD(W_RECORDED_INPUT,
    "jumpbox: this terminal is recorded, and so is what you type\n",
    "jumpbox：此终端正在被录制，您输入的内容也会被录制\n")
WORD(W_NO_BROKER,
    "the server has failed inside; log in again, and tell the operator",
    "服务器内部出错；请重新登录并告知管理员")
WORD(W_MAY_NOT_FORWARD, "you may not forward connections to {1}", "您无权转发到 {1} 的连接")
WORD(W_MAY_NOT_FILES, "you may not transfer files of {1}", "您无权传输 {1} 的文件")
WORD(W_HELPER_OFF_NODE,
    "node {1} does not allow the helper that file transfer and forwarding need",
    "节点 {1} 不允许使用文件传输和转发所需的辅助程序")
WORD(W_HELPER_OFF_LABEL,
    "{1} does not allow the helper that file transfer and forwarding need (label jumpbox.helper)",
    "{1} 不允许使用文件传输和转发所需的辅助程序（标签 jumpbox.helper）")
WORD(W_HELPER_NO_ARCH,
    "there is no helper for the processor of node {1} ({2}), so no file transfer and forwarding there",
    "没有适用于节点 {1} 的处理器（{2}）的辅助程序，因此无法传输文件和转发")
WORD(W_HELPER_NO_DIR,
    "the helper that file transfer and forwarding need has no place in that container: no directory is"
    " both writable and executable for your user there, with room for it, and nothing can be put into the root filesystem",
    "该容器中无处放置文件传输和转发所需的辅助程序：没有您在其中的用户既可写又可执行且有空间的目录，且根文件系统无法写入")
WORD(W_HELPER_NO_SHELL,
    "the helper that file transfer and forwarding need has no place in that container: its image has no"
    " shell, and nothing can be put into the root filesystem",
    "该容器中无处放置文件传输和转发所需的辅助程序：镜像中没有 shell，且根文件系统无法写入")
WORD(W_HELPER_LATE,
    "the helper that file transfer and forwarding need could not be put into that container in time:"
    " a directory there does not answer, or the container is very busy",
    "文件传输和转发所需的辅助程序未能及时放入该容器：其中有目录没有响应，或系统非常繁忙")
WORD(W_HELPER_BROKEN,
    "the helper in the container has ended or does not answer; try again",
    "容器中的辅助程序已结束或没有响应；请重试")
WORD(W_SFTP_NO_CONTAINER,
    "jumpbox: file transfer needs a container in the user name: USER+CONTAINER@HOST\n",
    "jumpbox：传输文件需要在用户名中指明容器：用户名+容器@主机\n")
WORD(W_HELPER_FULL,
    "this connection has too many channels or containers in use for one more; close some, or connect again",
    "此连接使用的通道或容器过多，无法再增加；请关闭一些，或重新连接")
WORD(W_HELP_CP,
    "  cp NAME:PATH NAME:PATH       copy a file or directory from one container to another\n",
    "  cp NAME:PATH NAME:PATH       将文件或目录从一个容器复制到另一个容器\n")
/* clang-format on */
