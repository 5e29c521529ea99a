/*
 * A builder that means harm: tries to get out of its sandbox in many ways and prints, for each, what stopped it.
 *
 *     attack PATH-OF-ITSELF      prints to standard error lines "try NAME RESULT"
 *
 * RESULT is the name of an error, a note beginning with '-' (what was gained is not the machine's), or ESCAPED. Every try is harmless
 * where it succeeds: it opens and does not write, or sets what is set already. Each runs in a process of its own.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#define ESCAPED 0
/* What a try answers besides errors: it gained something, but only inside. */
#define INSIDE (-1)

static const char *self;    /* this program's own path in the store */
static const char *out;     /* the output */
static int hostPid;         /* a process of the machine */
static const char *canary;  /* a file of the machine, outside every sandbox */
static const char *socketName; /* abstract socket of the machine */
static int hostPort;        /* TCP port of the machine's loopback */

/* The result of a call that must fail. */
static int must(long result) { return result < 0 ? errno : ESCAPED; }

static int openFor(const char *path, int flags) {
  int fd = open(path, flags | O_CLOEXEC);
  if (fd < 0) return errno;
  close(fd);
  return ESCAPED;
}
static int writable(const char *path) { return openFor(path, O_WRONLY); }
static int readable(const char *path) { return openFor(path, O_RDONLY); }

/* A file of the builder's own to try things on. */
static const char *ownFile(void) {
  int fd = open("/tmp/own", O_CREAT | O_RDWR, 0644);
  if (fd >= 0) close(fd);
  return "/tmp/own";
}

/* Whether a file that a call made or changed has a setuid or setgid bit. */
static int hasSetid(const char *path, long result) {
  struct stat st;
  if (result < 0) return errno;
  if (lstat(path, &st) < 0) return errno;
  return (st.st_mode & 06000) ? ESCAPED : INSIDE;
}

/* A user namespace of its own with all capabilities in it, and more namespaces. */
static int nest(int more) {
  char map[64];
  int uid = getuid(), gid = getgid();
  if (unshare(CLONE_NEWUSER | more) < 0) return errno;
  int fd = open("/proc/self/setgroups", O_WRONLY);
  if (fd >= 0) { if (write(fd, "deny", 4) < 0) {} close(fd); }
  fd = open("/proc/self/uid_map", O_WRONLY);
  snprintf(map, sizeof map, "0 %d 1", uid);
  if (fd < 0 || write(fd, map, strlen(map)) < 0) return errno;
  close(fd);
  fd = open("/proc/self/gid_map", O_WRONLY);
  snprintf(map, sizeof map, "0 %d 1", gid);
  if (fd < 0 || write(fd, map, strlen(map)) < 0) return errno;
  close(fd);
  return 0;
}
static int nestMounts(void) {
  int error = nest(CLONE_NEWNS);
  if (error == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0) error = errno;
  return error;
}

/* ---- interfaces of the kernel ---- */
static int corePattern(void) { return writable("/proc/sys/kernel/core_pattern"); }
static int modprobe(void) { return writable("/proc/sys/kernel/modprobe"); }
static int panicSetting(void) { return writable("/proc/sys/kernel/panic"); }
static int dropCaches(void) { return writable("/proc/sys/vm/drop_caches"); }
static int overcommit(void) { return writable("/proc/sys/vm/overcommit_memory"); }
static int fileMax(void) { return writable("/proc/sys/fs/file-max"); }
static int binfmt(void) { return writable("/proc/sys/fs/binfmt_misc/register"); }
static int forwarding(void) { return writable("/proc/sys/net/ipv4/ip_forward"); }
static int sysrq(void) { return writable("/proc/sysrq-trigger"); }
static int irq(void) { return writable("/proc/irq/default_smp_affinity"); }
static int kcore(void) { return readable("/proc/kcore"); }
static int kmsg(void) { return readable("/proc/kmsg"); }
static int scsi(void) { return writable("/proc/scsi/scsi"); }
static int acpi(void) { return writable("/proc/acpi/wakeup"); }
static int sysfs(void) { return readable("/sys/kernel"); }
static int cgroupFiles(void) { return readable("/sys/fs/cgroup"); }
static int oomScore(void) {
  int fd = open("/proc/self/oom_score_adj", O_WRONLY);
  if (fd < 0) return errno;
  return must(write(fd, "-1000", 5));
}
static int nestedCorePattern(void) {
  int error = nest(CLONE_NEWNS | CLONE_NEWPID);
  return error ? error : corePattern();
}
static int nestedProc(void) {
  int error = nest(CLONE_NEWNS | CLONE_NEWPID);
  if (error) return error;
  pid_t child = fork();
  if (child == 0) {
    mkdir("/tmp/proc", 0755);
    if (mount("proc", "/tmp/proc", "proc", 0, NULL) < 0) _exit(errno);
    int result = writable("/tmp/proc/sys/kernel/core_pattern");
    _exit(result);
  }
  int status;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : EINTR;
}
static int nestedCgroup(void) {
  int error = nest(CLONE_NEWNS | CLONE_NEWCGROUP);
  if (error) return error;
  mkdir("/tmp/cg", 0755);
  if (mount("cgroup2", "/tmp/cg", "cgroup2", 0, NULL) < 0) return errno;
  error = writable("/tmp/cg/cgroup.procs");
  return error;
}
static int nestedSysfs(void) {
  int error = nest(CLONE_NEWNS | CLONE_NEWNET);
  if (error) return error;
  mkdir("/tmp/sys", 0755);
  if (mount("sysfs", "/tmp/sys", "sysfs", 0, NULL) < 0) return errno;
  return writable("/tmp/sys/kernel/profiling");
}
static int nestedDebugfs(void) {
  int error = nestMounts();
  if (error) return error;
  mkdir("/tmp/dbg", 0755);
  return must(mount("debugfs", "/tmp/dbg", "debugfs", 0, NULL));
}

/* ---- devices ---- */
static int sameMode(const char *path) {
  struct stat st;
  if (stat(path, &st) < 0) return errno;
  return must(chmod(path, st.st_mode & 07777));
}
static int chmodNull(void) { return sameMode("/dev/null"); }
static int chmodZero(void) { return sameMode("/dev/zero"); }
static int chmodUrandom(void) { return sameMode("/dev/urandom"); }
static int chownNull(void) { return must(chown("/dev/null", getuid(), getgid())); }
static int touchNull(void) { struct timespec t[2] = {{1, 0}, {1, 0}}; return must(utimensat(AT_FDCWD, "/dev/null", t, 0)); }
static int unlinkNull(void) { return must(rename("/dev/null", "/dev/null2")); }
static int newInDev(void) { return must(mkdir("/dev/new", 0755)); }
static int devMem(void) { return readable("/dev/mem"); }
static int devKmsg(void) { return readable("/dev/kmsg"); }
static int devDisk(void) { int e = readable("/dev/vda"); return e == ESCAPED ? e : readable("/dev/sda"); }
static int mknodDisk(void) { return must(mknod("/tmp/disk", S_IFBLK | 0666, 8 << 8)); }
static int mknodMem(void) { return must(mknod("/tmp/mem", S_IFCHR | 0666, (1 << 8) | 1)); }
static int nestedMknod(void) { int e = nestMounts(); return e ? e : must(mknod("/tmp/disk2", S_IFBLK | 0666, 8 << 8)); }
static int terminal(void) { return openFor("/dev/tty", O_RDWR); }
static int pushTerminal(void) {
  char c = '\n';
  if (ioctl(2, TIOCSTI, &c) < 0) return errno;
  return INSIDE; /* the terminal of the build's own output */
}

/* ---- files of the machine ---- */
static int hostFile(const char *path) {
  int error = writable(path);
  if (error == ESCAPED) return ESCAPED;
  struct stat st;
  if (stat(path, &st) == 0 && chmod(path, st.st_mode & 07777) == 0) return ESCAPED;
  return error;
}
static int resolvConf(void) { return hostFile("/etc/resolv.conf"); }
static int hosts(void) { return hostFile("/etc/hosts"); }
static int services(void) { return hostFile("/etc/services"); }
static int certificates(void) { return hostFile("/etc/ssl/certs/ca-certificates.crt"); }
static int passwd(void) { return hostFile("/etc/passwd"); }
static int group(void) { return hostFile("/etc/group"); }
static int nsswitch(void) { return hostFile("/etc/nsswitch.conf"); }
static int linkHosts(void) { return must(link("/etc/resolv.conf", "/tmp/resolv.conf") < 0 ? link("/etc/passwd", "/tmp/passwd") : 0); }
static int nestedRemount(void) {
  int error = nestMounts();
  if (error) return error;
  return must(mount(NULL, "/", NULL, MS_REMOUNT | MS_BIND, NULL));
}
static int nestedRemountHosts(void) {
  int error = nestMounts();
  if (error) return error;
  if (access("/etc/resolv.conf", F_OK) < 0) return errno;
  return must(mount(NULL, "/etc/resolv.conf", NULL, MS_REMOUNT | MS_BIND, NULL));
}
static int nestedUmountInput(void) {
  int error = nestMounts();
  if (error) return error;
  return must(umount2(self, MNT_DETACH));
}
static int nestedUmountStore(void) {
  int error = nestMounts();
  if (error) return error;
  return must(umount2("/nix/store", MNT_DETACH));
}
static int canaryByName(void) { return readable(canary); }
static int canaryByProc(void) {
  char path[4200];
  snprintf(path, sizeof path, "/proc/1/root%s", canary);
  return readable(path);
}
static int canaryByDots(void) {
  char path[4300];
  snprintf(path, sizeof path, "/proc/self/cwd/../../../../../..%s", canary);
  return readable(path);
}
static int canaryByChroot(void) {
  int error = nestMounts();
  if (error) return error;
  int fd = open("/", O_RDONLY | O_DIRECTORY);
  mkdir("/tmp/jail", 0755);
  if (chroot("/tmp/jail") < 0) return errno;
  if (fchdir(fd) < 0) return errno;
  for (int i = 0; i < 64; i++) if (chdir("..") < 0) return errno;
  if (chroot(".") < 0) return errno;
  return readable(canary);
}
static int hostHome(void) { return readable("/root"); }
static int hostUsr(void) { return readable("/usr/bin"); }
static int openByHandle(void) {
  struct { struct file_handle handle; char bytes[128]; } place = {.handle.handle_bytes = 128};
  int mountId;
  if (name_to_handle_at(AT_FDCWD, "/etc/passwd", &place.handle, &mountId, 0) < 0) return errno;
  int fd = open("/", O_RDONLY | O_DIRECTORY);
  return must(open_by_handle_at(fd, &place.handle, O_RDONLY));
}
static int inherited(void) {
  DIR *directory = opendir("/proc/self/fd");
  int found = 0;
  for (struct dirent *entry; directory && (entry = readdir(directory));) {
    int fd = atoi(entry->d_name);
    char target[64];
    ssize_t length = entry->d_name[0] == '.' ? -1 : readlinkat(dirfd(directory), entry->d_name, target, sizeof target);
    if (length < 0 || fd <= 2 || fd == dirfd(directory)) continue;
    if (length != 9 || memcmp(target, "/dev/null", 9)) found++;
  }
  /* The pipe to the parent that every try has. */
  return found > 1 ? ESCAPED : EBADF;
}
static int storeOfMachine(void) {
  DIR *directory = opendir("/nix/store");
  int others = 0;
  if (!directory) return errno;
  for (struct dirent *entry; (entry = readdir(directory));) {
    if (entry->d_name[0] == '.') continue;
    if (!strncmp(entry->d_name, self + strlen("/nix/store/"), strcspn(self + strlen("/nix/store/"), "/"))) continue;
    if (!strcmp(entry->d_name, out + strlen("/nix/store/"))) continue;
    others++;
  }
  return others ? ESCAPED : ENOENT;
}

/* ---- the sandbox's own structure ---- */
static int newInRoot(void) { return must(mkdir("/new", 0755)); }
static int linkInRoot(void) { return must(symlink("/tmp", "/nix2")); }
static int newInEtc(void) { return must(open("/etc/new", O_CREAT | O_WRONLY, 0644)); }
static int newInNix(void) { return must(mkdir("/nix/new", 0755)); }
static int renameNix(void) { return must(rename("/nix", "/nix2")); }
static int renameStore(void) { return must(rename("/nix/store", "/nix/store2")); }
static int renameEtc(void) { return must(rename("/etc", "/etc2")); }
static int renameBuild(void) { return must(rename("/build", "/build2")); }
static int renameTmp(void) { return must(rename("/tmp", "/tmp2")); }
static int renameProc(void) { return must(rename("/proc", "/proc2")); }
static int exchangeNix(void) { return must(syscall(SYS_renameat2, AT_FDCWD, "/nix", AT_FDCWD, "/etc", 2)); }
static int chmodRoot(void) { return must(chmod("/", 0777)); }
static int chmodEtc(void) { return must(chmod("/etc", 0777)); }
static int chmodNix(void) { return must(chmod("/nix", 0777)); }
static int chmodInput(void) { return must(chmod(self, 0777)); }
static int unlinkPasswd(void) { return must(unlink("/etc/passwd")); }
static int writeInput(void) { return writable(self); }
static int renameInput(void) {
  char input[4200];
  snprintf(input, sizeof input, "%.*s", (int)(strlen("/nix/store/") + strcspn(self + strlen("/nix/store/"), "/")), self);
  return must(rename(input, "/nix/store/taken"));
}
static int moveIntoBuildParent(void) { return must(rename("/build", "/tmp/moved")); }
static int outputOverInput(void) {
  char input[4200];
  snprintf(input, sizeof input, "%.*s", (int)(strlen("/nix/store/") + strcspn(self + strlen("/nix/store/"), "/")), self);
  return must(rename(ownFile(), input));
}

/* ---- modes, owners, attributes ---- */
static int suidChmod(void) { return hasSetid(ownFile(), chmod(ownFile(), 04755)); }
static int sgidChmod(void) { return hasSetid(ownFile(), chmod(ownFile(), 02755)); }
static int suidFchmod(void) { int fd = open(ownFile(), O_RDWR); return hasSetid(ownFile(), fchmod(fd, 06755)); }
static int suidFchmodat(void) { return hasSetid(ownFile(), syscall(SYS_fchmodat, AT_FDCWD, ownFile(), 04755)); }
static int suidFchmodat2(void) { return hasSetid(ownFile(), syscall(452, AT_FDCWD, ownFile(), 04755, 0)); }
static int suidOpen(void) { unlink("/tmp/s1"); return hasSetid("/tmp/s1", syscall(SYS_openat, AT_FDCWD, "/tmp/s1", O_CREAT | O_RDWR, 04755)); }
static int suidTmpfile(void) {
  int fd = open("/tmp", O_TMPFILE | O_RDWR, 04755);
  if (fd < 0) return errno;
  struct stat st;
  fstat(fd, &st);
  return (st.st_mode & 06000) ? ESCAPED : INSIDE;
}
static int suidMknodat(void) { unlink("/tmp/s2"); return hasSetid("/tmp/s2", syscall(SYS_mknodat, AT_FDCWD, "/tmp/s2", S_IFREG | 04755, 0)); }
static int suidOpenat2(void) {
  struct { uint64_t flags, mode, resolve; } how = {O_CREAT | O_RDWR, 04755, 0};
  unlink("/tmp/s3");
  return hasSetid("/tmp/s3", syscall(437, AT_FDCWD, "/tmp/s3", &how, sizeof how));
}
static int sgidMkdir(void) { rmdir("/tmp/s4"); return hasSetid("/tmp/s4", mkdir("/tmp/s4", 06755)); }
static int ioUring(void) { char parameters[120] = {0}; return must(syscall(425, 4, parameters)); }
#ifdef __x86_64__
static int suidLegacyOpen(void) { unlink("/tmp/s5"); return hasSetid("/tmp/s5", syscall(SYS_open, "/tmp/s5", O_CREAT | O_RDWR, 04755)); }
static int suidCreat(void) { unlink("/tmp/s6"); return hasSetid("/tmp/s6", syscall(SYS_creat, "/tmp/s6", 04755)); }
static int suidMknod(void) { unlink("/tmp/s7"); return hasSetid("/tmp/s7", syscall(SYS_mknod, "/tmp/s7", S_IFREG | 04755, 0)); }
static int suidX32(void) { return hasSetid(ownFile(), syscall(0x40000000 + 90, ownFile(), 04755)); }
static long call32(long number, long first, long second, long third) {
  long result;
  __asm__ volatile("int $0x80" : "=a"(result) : "a"(number), "b"(first), "c"(second), "d"(third) : "memory", "r8", "r9", "r10", "r11");
  if (result < 0 && result > -4096) { errno = -result; return -1; }
  return result;
}
/* Addresses below 4 GB, which 32-bit calls can reach. */
static char low[4096] __attribute__((aligned(4096)));
static int suidI386(void) { strcpy(low, ownFile()); return hasSetid(low, call32(15, (long)low, 04755, 0)); }
static int suidI386Open(void) { strcpy(low, "/tmp/s8"); unlink(low); return hasSetid(low, call32(5, (long)low, O_CREAT | O_RDWR, 04755)); }
static int unixI386(void) {
  unsigned int *arguments = (unsigned int *)low;
  arguments[0] = AF_UNIX; arguments[1] = SOCK_STREAM; arguments[2] = 0;
  long fd = call32(102, 1, (long)arguments, 0);
  if (fd < 0) return errno;
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  strncpy(address.sun_path + 1, socketName, sizeof address.sun_path - 2);
  return must(connect(fd, (struct sockaddr *)&address, offsetof(struct sockaddr_un, sun_path) + 1 + strlen(socketName)));
}
static int attributeI386(void) { strcpy(low, ownFile()); strcpy(low + 100, "user.x"); strcpy(low + 200, "y");
  long r;
  __asm__ volatile("push %%rbp\n\tint $0x80\n\tpop %%rbp" : "=a"(r) : "a"(226L), "b"((long)low), "c"((long)low + 100), "d"((long)low + 200), "S"(1L), "D"(0L) : "memory", "r8", "r9", "r10", "r11");
  if (r < 0 && r > -4096) return (int)-r;
  return ESCAPED; }
#endif
static int attribute(void) { return must(setxattr(ownFile(), "user.x", "y", 1, 0)); }
static int attributeLink(void) { return must(lsetxattr(ownFile(), "user.x", "y", 1, 0)); }
static int attributeFd(void) { int fd = open(ownFile(), O_RDWR); return must(fsetxattr(fd, "user.x", "y", 1, 0)); }
static int attributeAt(void) {
  struct { uint64_t value; uint32_t size, flags; } arguments = {(uint64_t)(uintptr_t) "y", 1, 0};
  return must(syscall(463, AT_FDCWD, ownFile(), 0, "user.x", &arguments, sizeof arguments));
}
static int acl(void) {
  unsigned char list[] = {2, 0, 0, 0, 1, 0, 7, 0, 255, 255, 255, 255, 4, 0, 7, 0, 255, 255, 255, 255, 32, 0, 7, 0, 255, 255, 255, 255};
  return must(setxattr(ownFile(), "system.posix_acl_access", list, sizeof list, 0));
}
static int capability(void) {
  unsigned char caps[20] = {1, 0, 0, 2, 255, 255, 255, 255};
  return must(setxattr(ownFile(), "security.capability", caps, sizeof caps, 0));
}
static int nestedCapability(void) { int e = nestMounts(); return e ? e : capability(); }
static int chownFile(void) { return must(chown(ownFile(), 0, 0)); }
static int setUid(void) { return must(setuid(0)); }
static int setGid(void) { return must(setgid(0)); }
static int setGroups(void) { return must(syscall(SYS_setgroups, 0, NULL)); }
static int mapMore(void) {
  if (unshare(CLONE_NEWUSER) < 0) return errno;
  int fd = open("/proc/self/uid_map", O_WRONLY);
  return fd < 0 ? errno : must(write(fd, "0 0 4294967295", 14));
}

/* ---- rights that only root has ---- */
static int loadModule(void) { return must(syscall(SYS_init_module, "x", 1, "")); }
static int kexec(void) { return must(syscall(SYS_kexec_load, 0, 0, NULL, 0)); }
static int restart(void) { return must(syscall(SYS_reboot, 0xfee1dead, 672274793, 0, NULL)); }
static int swapOn(void) { return must(syscall(SYS_swapon, ownFile(), 0)); }
static int accounting(void) { return must(syscall(SYS_acct, ownFile())); }
static int setClock(void) { struct timeval now; gettimeofday(&now, NULL); return must(settimeofday(&now, NULL)); }
static int nestedClock(void) { int e = nest(0); return e ? e : setClock(); }
static int kernelLog(void) { char text[16]; return must(syscall(SYS_syslog, 5, text, 0)); }
static int bpf(void) { char attributes[128] = {0}; return must(syscall(SYS_bpf, 5, attributes, sizeof attributes)); }
static int perf(void) { char attributes[128] = {0}; attributes[4] = 64; return must(syscall(SYS_perf_event_open, attributes, -1, 0, -1, 0)); }
static int keyring(void) { return must(syscall(SYS_keyctl, 0, -3, 0)); }
static int addKey(void) { return must(syscall(SYS_add_key, "user", "x", "y", 1, -4)); }
static int hostName(void) { return must(sethostname("localhost", 9)); }
static int priority(void) { errno = 0; return must(setpriority(PRIO_PROCESS, 0, -20)); }
static int realtime(void) { struct sched_param parameter = {.sched_priority = 1}; return must(sched_setscheduler(0, SCHED_FIFO, &parameter)); }
static int raiseLimit(void) {
  struct rlimit limit;
  getrlimit(RLIMIT_CORE, &limit);
  if (limit.rlim_max == RLIM_INFINITY) { struct rlimit nice = {40, 40}; return must(setrlimit(RLIMIT_NICE, &nice)); }
  limit.rlim_max++;
  return must(setrlimit(RLIMIT_CORE, &limit));
}
#ifdef __x86_64__
static int ports(void) { return must(syscall(SYS_iopl, 3)); }
#endif

/* ---- processes ---- */
static int killHost(void) { return must(kill(hostPid, 0)); }
static int traceHost(void) { return must(ptrace(PTRACE_ATTACH, hostPid, NULL, NULL)); }
static int readHost(void) {
  char byte;
  struct iovec local = {&byte, 1}, remote = {(void *)0x400000, 1};
  return must(process_vm_readv(hostPid, &local, 1, &remote, 1, 0));
}
static int pidfdHost(void) { return must(syscall(SYS_pidfd_open, hostPid, 0)); }
static int enterHost(void) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/ns/mnt", hostPid);
  int fd = open(path, O_RDONLY);
  return fd < 0 ? errno : must(setns(fd, 0));
}
static int sharedFile(void) { return readable(getenv("shared")); }

/* ---- network ---- */
static int abstractSocket(void) {
  int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  if (fd < 0) return errno;
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  strncpy(address.sun_path + 1, socketName, sizeof address.sun_path - 2);
  return must(connect(fd, (struct sockaddr *)&address, offsetof(struct sockaddr_un, sun_path) + 1 + strlen(socketName)));
}
static int abstractDatagram(void) {
  int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
  if (fd < 0) return errno;
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  strncpy(address.sun_path + 1, socketName, sizeof address.sun_path - 2);
  return must(sendto(fd, "x", 1, 0, (struct sockaddr *)&address, offsetof(struct sockaddr_un, sun_path) + 1 + strlen(socketName)));
}
static int nestedAbstract(void) { int e = nest(0); return e ? e : abstractSocket(); }
static int pathSocket(void) {
  int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  if (fd < 0) return errno;
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  strcpy(address.sun_path, "/run/dbus/system_bus_socket");
  return must(connect(fd, (struct sockaddr *)&address, sizeof address));
}
static int loopback(void) {
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  if (fd < 0) return errno;
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(hostPort), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  return must(connect(fd, (struct sockaddr *)&address, sizeof address));
}
static int rawPackets(void) { return must(socket(AF_PACKET, SOCK_RAW, 0)); }
static int rawAddress(void) { return must(socket(AF_INET, SOCK_RAW, 1)); }
static int interfaceDown(void) {
  int fd = socket(AF_INET, SOCK_DGRAM, 0);
  struct ifreq request = {0};
  strcpy(request.ifr_name, "lo");
  if (ioctl(fd, SIOCGIFFLAGS, &request) < 0) return errno;
  return must(ioctl(fd, SIOCSIFFLAGS, &request));
}
static int lowPort(void) {
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(81), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  return must(bind(fd, (struct sockaddr *)&address, sizeof address));
}
static int virtualMachine(void) {
  int fd = socket(40, SOCK_STREAM, 0);
  if (fd < 0) return errno;
  struct { unsigned short family, reserved; unsigned int port, cid; unsigned char rest[4]; } address = {40, 0, 1, 2, {0}};
  return must(connect(fd, (struct sockaddr *)&address, sizeof address));
}

static const struct { const char *name; int (*run)(void); } tries[] = {
#define TRY(function) {#function, function},
  TRY(corePattern) TRY(modprobe) TRY(panicSetting) TRY(dropCaches) TRY(overcommit) TRY(fileMax) TRY(binfmt) TRY(forwarding) TRY(sysrq)
  TRY(irq) TRY(kcore) TRY(kmsg) TRY(scsi) TRY(acpi) TRY(sysfs) TRY(cgroupFiles) TRY(oomScore) TRY(nestedCorePattern) TRY(nestedProc)
  TRY(nestedCgroup) TRY(nestedSysfs) TRY(nestedDebugfs)
  TRY(chmodNull) TRY(chmodZero) TRY(chmodUrandom) TRY(chownNull) TRY(touchNull) TRY(unlinkNull) TRY(newInDev) TRY(devMem) TRY(devKmsg)
  TRY(devDisk) TRY(mknodDisk) TRY(mknodMem) TRY(nestedMknod) TRY(terminal) TRY(pushTerminal)
  TRY(resolvConf) TRY(hosts) TRY(services) TRY(certificates) TRY(passwd) TRY(group) TRY(nsswitch) TRY(linkHosts) TRY(nestedRemount)
  TRY(nestedRemountHosts) TRY(nestedUmountInput) TRY(nestedUmountStore) TRY(canaryByName) TRY(canaryByProc) TRY(canaryByDots)
  TRY(canaryByChroot) TRY(hostHome) TRY(hostUsr) TRY(openByHandle) TRY(inherited) TRY(storeOfMachine)
  TRY(newInRoot) TRY(linkInRoot) TRY(newInEtc) TRY(newInNix) TRY(renameNix) TRY(renameStore) TRY(renameEtc) TRY(renameBuild)
  TRY(renameTmp) TRY(renameProc) TRY(exchangeNix) TRY(chmodRoot) TRY(chmodEtc) TRY(chmodNix) TRY(chmodInput) TRY(unlinkPasswd)
  TRY(writeInput) TRY(renameInput) TRY(moveIntoBuildParent) TRY(outputOverInput)
  TRY(suidChmod) TRY(sgidChmod) TRY(suidFchmod) TRY(suidFchmodat) TRY(suidFchmodat2) TRY(suidOpen) TRY(suidTmpfile) TRY(suidMknodat)
  TRY(suidOpenat2) TRY(sgidMkdir) TRY(ioUring)
#ifdef __x86_64__
  TRY(suidLegacyOpen) TRY(suidCreat) TRY(suidMknod) TRY(suidX32) TRY(suidI386) TRY(suidI386Open) TRY(attributeI386) TRY(unixI386)
  TRY(ports)
#endif
  TRY(attribute) TRY(attributeLink) TRY(attributeFd) TRY(attributeAt) TRY(acl) TRY(capability) TRY(nestedCapability) TRY(chownFile)
  TRY(setUid) TRY(setGid) TRY(setGroups) TRY(mapMore)
  TRY(loadModule) TRY(kexec) TRY(restart) TRY(swapOn) TRY(accounting) TRY(setClock) TRY(nestedClock) TRY(kernelLog) TRY(bpf) TRY(perf)
  TRY(keyring) TRY(addKey) TRY(hostName) TRY(priority) TRY(realtime) TRY(raiseLimit)
  TRY(killHost) TRY(traceHost) TRY(readHost) TRY(pidfdHost) TRY(enterHost) TRY(sharedFile)
  TRY(abstractSocket) TRY(abstractDatagram) TRY(nestedAbstract) TRY(pathSocket) TRY(loopback) TRY(rawPackets) TRY(rawAddress)
  TRY(interfaceDown) TRY(lowPort) TRY(virtualMachine)
};

static void attempt(const char *name, int (*run)(void)) {
  int ends[2], result = ETIMEDOUT, status;
  if (pipe2(ends, O_CLOEXEC) < 0) exit(1);
  pid_t child = fork();
  if (child == 0) {
    close(ends[0]);
    alarm(10);
    errno = 0;
    int found = run();
    if (write(ends[1], &found, sizeof found) < 0) _exit(1);
    _exit(0);
  }
  close(ends[1]);
  ssize_t got = read(ends[0], &result, sizeof result);
  close(ends[0]);
  waitpid(child, &status, 0);
  if (got != sizeof result) dprintf(2, "try %s signal-%d\n", name, WIFSIGNALED(status) ? WTERMSIG(status) : 0);
  else dprintf(2, "try %s %s\n", name, result == ESCAPED ? "ESCAPED" : result == INSIDE ? "-inside" : strerrorname_np(result));
}

/* A process that outlives the builder would go on writing to the output. */
static void linger(void) {
  if (fork() != 0) return;
  setsid();
  if (fork() != 0) _exit(0);
  int fd = open(out, O_WRONLY | O_APPEND);
  for (int i = 0; i < 600; i++) {
    usleep(50000);
    if (write(fd, "late\n", 5) < 0) {}
  }
  _exit(0);
}

int main(int count, char **arguments) {
  (void)count;
  self = arguments[1];
  out = getenv("out");
  canary = getenv("canary");
  socketName = getenv("socketName");
  hostPid = atoi(getenv("hostPid"));
  hostPort = atoi(getenv("hostPort"));
  for (size_t i = 0; i < sizeof tries / sizeof *tries; i++) attempt(tries[i].name, tries[i].run);
  int fd = open(out, O_CREAT | O_EXCL | O_WRONLY, 0644);
  if (fd < 0 || write(fd, "attacked\n", 9) != 9) return 1;
  close(fd);
  linger();
  dprintf(2, "tries %zu\n", sizeof tries / sizeof *tries);
  return 0;
}
