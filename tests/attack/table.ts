/** What stops each try of attack.c: the barrier, and the answers that show it. */

/** What a try may be told; `fixed` where builds with the network are told something else. */
export interface Expectation {
  readonly name: string;
  /** What stops it. */
  readonly barrier: string;
  readonly answers: readonly string[];
  readonly fixed?: readonly string[];
}

/** Without 32-bit calls in the kernel a process that makes one is killed. */
const NO_32_BIT = "signal-11";

function group(
  barrier: string,
  answers: readonly string[],
  names: readonly string[],
  fixed?: readonly string[],
): Expectation[] {
  return names.map((name) => ({ name, barrier, answers, ...(fixed === undefined ? {} : { fixed }) }));
}

/** One entry a try. */
export const expectations: readonly Expectation[] = [
  ...group(
    "the builder has the id of no user of the machine, above all not root's",
    ["EACCES", "ENOENT", "EPERM", "EROFS"],
    [
      ...[
        "corePattern",
        "modprobe",
        "panicSetting",
        "dropCaches",
        "overcommit",
        "fileMax",
        "binfmt",
        "forwarding",
        "sysrq",
        "irq",
      ],
      ...[
        "kcore",
        "kmsg",
        "scsi",
        "acpi",
        "oomScore",
        "nestedCorePattern",
        "nestedProc",
        "nestedCgroup",
        "nestedSysfs",
      ],
      ...["nestedDebugfs", "perf", "priority", "realtime", "raiseLimit", "lowPort", "kernelLog", "bpf"],
    ],
  ),
  ...group(
    "no capability outside its own namespaces",
    ["EPERM", "ENOSYS"],
    [
      ...[
        "mknodDisk",
        "mknodMem",
        "nestedMknod",
        "openByHandle",
        "mapMore",
        "setGroups",
        "hostName",
        "loadModule",
        "kexec",
        "restart",
      ],
      ...["swapOn", "accounting", "setClock", "nestedClock", "rawPackets", "rawAddress", "interfaceDown", "ports"],
    ],
  ),
  ...group("one id only is mapped", ["EINVAL", "EPERM"], ["chownFile", "setUid", "setGid"]),
  ...group(
    "what is not mounted is not there",
    ["ENOENT"],
    [
      ...[
        "sysfs",
        "cgroupFiles",
        "devMem",
        "devKmsg",
        "devDisk",
        "canaryByName",
        "canaryByProc",
        "canaryByDots",
        "canaryByChroot",
      ],
      ...["hostHome", "hostUsr", "storeOfMachine", "sharedFile", "enterHost"],
    ],
  ),
  ...group(
    "the root is mounted read-only",
    ["EROFS"],
    [
      ...[
        "newInRoot",
        "linkInRoot",
        "newInEtc",
        "newInNix",
        "newInDev",
        "renameNix",
        "renameStore",
        "renameEtc",
        "renameBuild",
      ],
      ...["renameTmp", "renameProc", "exchangeNix", "chmodRoot", "chmodEtc", "chmodNix", "unlinkPasswd", "unlinkNull"],
    ],
  ),
  ...group(
    "devices of the machine are mounted read-only",
    ["EROFS"],
    ["chmodNull", "chmodZero", "chmodUrandom", "chownNull", "touchNull"],
  ),
  ...group(
    "files of the machine are mounted read-only",
    ["EROFS", "EACCES", "ENOENT"],
    [...["resolvConf", "hosts", "services", "certificates", "passwd", "group", "nsswitch"]],
  ),
  ...group(
    "inputs are read-only mounts",
    ["EROFS", "EACCES", "EPERM", "EBUSY", "EXDEV"],
    [...["chmodInput", "writeInput", "renameInput", "outputOverInput", "linkHosts", "moveIntoBuildParent"]],
  ),
  ...group(
    "mounts made outside cannot be changed in a nested namespace",
    ["EPERM", "EINVAL", "ENOENT"],
    [...["nestedRemount", "nestedRemountHosts", "nestedUmountInput", "nestedUmountStore"]],
  ),
  ...group("descriptors of whoever started Firn are replaced", ["EBADF"], ["inherited"]),
  ...group("a session of its own without a terminal", ["ENXIO"], ["terminal"]),
  ...group("a terminal of the build's own, which takes no input", ["EPERM", "EIO", "-inside"], ["pushTerminal"]),
  ...group(
    "system call filter: no setuid or setgid bits",
    ["EPERM"],
    [
      ...[
        "suidChmod",
        "sgidChmod",
        "suidFchmod",
        "suidFchmodat",
        "suidFchmodat2",
        "suidOpen",
        "suidTmpfile",
        "suidMknodat",
      ],
      ...["suidLegacyOpen", "suidCreat", "suidMknod"],
    ],
  ),
  ...group(
    "system call filter, in the other calling conventions",
    ["EPERM", "ENOSYS", NO_32_BIT],
    [...["suidX32", "suidI386", "suidI386Open"]],
  ),
  ...group(
    "system call filter: no extended attributes",
    ["EOPNOTSUPP"],
    [...["attribute", "attributeLink", "attributeFd", "attributeAt", "acl", "capability", "nestedCapability"]],
  ),
  ...group("system call filter: no extended attributes, 32 bits", ["EOPNOTSUPP", NO_32_BIT], ["attributeI386"]),
  ...group(
    "system call filter: as if the kernel did not know it",
    ["ENOSYS"],
    ["suidOpenat2", "ioUring", "keyring", "addKey"],
  ),
  ...group("the kernel gives directories no such bits", ["-inside"], ["sgidMkdir"]),
  ...group("a process namespace of its own", ["ESRCH"], ["killHost", "traceHost", "readHost", "pidfdHost"]),
  ...group(
    "a network of its own; with the machine's network, system call filter: no named Unix sockets",
    ["ECONNREFUSED"],
    ["abstractSocket", "abstractDatagram", "nestedAbstract"],
    ["EAFNOSUPPORT"],
  ),
  ...group("the same, 32 bits", ["ECONNREFUSED", NO_32_BIT], ["unixI386"], ["EAFNOSUPPORT", NO_32_BIT]),
  ...group("sockets of the machine are not mounted", ["ENOENT"], ["pathSocket"], ["EAFNOSUPPORT"]),
  ...group(
    "no virtual machine's host listens",
    ["ECONNRESET", "ENODEV", "EAFNOSUPPORT", "ETIMEDOUT", "ENETUNREACH"],
    ["virtualMachine"],
  ),
  // Builds whose result is known by its hash have the network of the machine, as with the reference.
  ...group("a network of its own; with the machine's network, nothing", ["ECONNREFUSED"], ["loopback"], ["ESCAPED"]),
];
