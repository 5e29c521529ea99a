# Encrypted devices (LUKS): those that the first stage opens, and file systems and swap that lie on some.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  forms = import ../option-forms.nix { inherit lib pkgs; };
  cfg = config.boot.initrd.luks;
  devices = builtins.attrValues cfg.devices;

  device = types.submodule (
    { name, ... }:
    {
      options = {
        name = mkOption {
          type = types.str;
          default = name;
          defaultText = "the attribute's name";
          description = "Name of the opened device, `/dev/mapper/NAME`.";
        };
        device = mkOption {
          type = types.str;
          example = "/dev/disk/by-uuid/430e9eff-d852-4f68-aa3b-2fa3599ebe08";
          description = "The encrypted device.";
        };
        header = forms.optional types.str "Device that has the header, where that lies apart.";
        keyFile = forms.optional types.str "Device whose bytes open it, such as `/dev/disk/by-label/key`; null asks for a passphrase.";
        keyFileSize = forms.optional types.ints.positive "How many bytes of the key file are the key; null takes all.";
        keyFileOffset = forms.optional types.ints.unsigned "How many bytes of the key file come before the key.";
        keyFileTimeout = forms.optional types.ints.positive "Seconds that the key file is waited for before a passphrase is asked for; null is as long as for other devices.";
        fallbackToPassword = forms.bool false "Whether a passphrase is asked for when the key file is missing or wrong.";
        tryEmptyPassphrase = forms.bool false "Whether the empty passphrase is tried first.";
        allowDiscards = forms.bool false "Whether the disk is told which blocks are free; that shows how much is used.";
        bypassWorkqueues = forms.bool false "Whether reads and writes are done at once, which is faster on fast disks.";
      };
    }
  );
  encrypted = {
    enable = forms.bool false "Whether it lies on an encrypted device, which the first stage opens.";
    blkDev = forms.optional types.str "The encrypted device.";
    label = forms.optional types.str "Name of the opened device, `/dev/mapper/LABEL`.";
    keyFile = forms.optional types.str "File that opens it, as the first stage sees it: below `/mnt-root` the file systems that the system lies on are mounted. Null asks for a passphrase.";
  };
  random = types.submodule {
    options = {
      enable = forms.bool false "Whether the space is encrypted by a key that is forgotten when the machine ends.";
      cipher = forms.str "aes-xts-plain64" "How it is encrypted.";
      keySize = forms.optional types.ints.positive "Bits of the key; null leaves that to the program.";
      sectorSize = forms.optional types.ints.positive "Bytes that are encrypted at a time; null leaves that to the program.";
      source = forms.str "/dev/urandom" "Where the key comes from.";
      allowDiscards = forms.bool false "Whether the disk is told which blocks are free.";
    };
  };

  # File systems and swap on encrypted devices: those with a key wait for the file system that has it.
  entries = builtins.filter (entry: entry.encrypted.enable) (builtins.attrValues config.fileSystems ++ config.swapDevices);
  withKey = builtins.filter (entry: entry.encrypted.keyFile != null) entries;
  withoutKey = builtins.filter (entry: entry.encrypted.keyFile == null) entries;
  randomSwap = builtins.filter (entry: entry.randomEncryption.enable) config.swapDevices;
  nameOf = path: lib.concatStringsSep "-" (builtins.filter (part: part != "") (lib.splitString "/" path));
  hasCrypttab = randomSwap != [ ] || config.environment.etc ? crypttab;

  flags =
    entry:
    lib.optional entry.allowDiscards "--allow-discards"
    ++ lib.optionals entry.bypassWorkqueues [ "--perf-no_read_workqueue" "--perf-no_write_workqueue" ];
  keyFlags =
    entry:
    lib.optional (entry.keyFileSize != null) "--keyfile-size=${toString entry.keyFileSize}"
    ++ lib.optional (entry.keyFileOffset != null) "--keyfile-offset=${toString entry.keyFileOffset}";
  shown = text: if text == null then "''" else lib.escapeShellArg text;
  call =
    entry:
    "open_encrypted ${
      lib.concatStringsSep " " [
        (shown entry.name)
        (shown entry.device)
        (shown entry.header)
        (shown entry.keyFile)
        (lib.escapeShellArg (lib.concatStringsSep " " (keyFlags entry)))
        (if entry.keyFileTimeout == null then "''" else toString entry.keyFileTimeout)
        (if entry.fallbackToPassword then "fall-back" else "''")
        (if entry.tryEmptyPassphrase then "try-empty" else "''")
      ]
    } ${lib.concatStringsSep " " (flags entry)}\n";
in
{
  options = {
    boot.initrd.luks = {
      devices = mkOption {
        type = types.attrsOf device;
        default = { };
        example = lib.literalExpression ''{ cryptroot.device = "/dev/disk/by-uuid/430e9eff-d852-4f68-aa3b-2fa3599ebe08"; }'';
        description = "Encrypted devices that the first stage opens before it mounts file systems. Others belong into `environment.etc.crypttab.text`; see crypttab(5).";
      };
      reusePassphrases = forms.bool true "Whether a passphrase that opened a device is tried for the next ones.";
      forceLuksSupportInInitrd = forms.bool false "Whether the first stage has what opens encrypted devices in any case.";
      cryptoModules = mkOption {
        type = types.listOf types.str;
        default = [
          "aes"
          "aes_generic"
          "cbc"
          "ecb"
          "xts"
          "lrw"
          "essiv"
          "serpent_generic"
          "twofish_generic"
          "sha1_generic"
          "sha256_generic"
          "sha512_generic"
          "af_alg"
          "algif_skcipher"
          "algif_hash"
        ];
        description = "Kernel modules for encrypted devices. Names the kernel does not have are left out.";
      };
    };
    fileSystems = mkOption { type = types.attrsOf (types.submodule { options = { inherit encrypted; }; }); };
    swapDevices = mkOption {
      type = types.listOf (
        types.submodule (
          { config, ... }:
          {
            options = {
              inherit encrypted;
              randomEncryption = mkOption {
                type = types.coercedTo types.bool (enable: { inherit enable; }) random;
                default = false;
                description = "Whether the space is encrypted by a key that is made at each start. The device must be named by what does not change, such as `/dev/disk/by-partuuid`.";
              };
              realDevice = mkOption {
                type = types.str;
                internal = true;
                readOnly = true;
                default = if config.randomEncryption.enable then "/dev/mapper/${nameOf config.device}" else config.device;
                description = "The device that is swapped to.";
              };
            };
          }
        )
      );
    };
  };

  config = lib.mkMerge [
    {
      boot.initrd.luks.devices = lib.listToAttrs (
        map (entry: lib.nameValuePair entry.encrypted.label { device = entry.encrypted.blkDev; }) (
          builtins.filter (entry: entry.encrypted.label != null && entry.encrypted.blkDev != null) withoutKey
        )
      );
      assertions =
        map (entry: {
          assertion = entry.encrypted.label != null && entry.encrypted.blkDev != null;
          message = "${entry.mountPoint or entry.device}: encrypted.enable needs encrypted.label and encrypted.blkDev";
        }) entries
        ++ map (entry: {
          assertion = !lib.hasInfix "/by-uuid/" entry.device && !lib.hasInfix "/by-label/" entry.device && entry.size == null;
          message = "swapDevices: '${entry.device}' with randomEncryption must not be named by the label or UUID of what lies on it, nor be a file: a new key makes that anew each time";
        }) randomSwap
        ++ map (entry: {
          assertion = builtins.match "[-A-Za-z0-9_.+#]+" entry.name != null;
          message = "boot.initrd.luks.devices: '${entry.name}' is no name of a device";
        }) devices;
    }
    (lib.mkIf (config.boot.kernel.enable && (devices != [ ] || entries != [ ] || cfg.forceLuksSupportInInitrd)) {
      boot.initrd = {
        kernelModules = [ "dm_mod" "dm_crypt" ] ++ cfg.cryptoModules;
        # Loaded where the processor has what they use.
        availableKernelModules = [ "aesni_intel" ];
        programs = [ "${pkgs.cryptsetup-bin.unpacked}/sbin/cryptsetup" ];
        programPackages = [ "cryptsetup-bin" ];
        openCommands = "${lib.optionalString (!cfg.reusePassphrases) "forget=1\n"}${lib.concatMapStrings call devices}";
        postMountCommands = lib.concatMapStrings (
          entry:
          let
            inherit (entry.encrypted) keyFile blkDev label;
          in
          "open_encrypted ${shown label} ${shown blkDev} '' ${shown keyFile} '' '' '' ''\n"
        ) withKey;
      };
    })
    (lib.mkIf (hasCrypttab && config.boot.kernel.enable) {
      boot.kernelModules = [ "dm_crypt" ];
      boot.extraKernelModules = cfg.cryptoModules;
    })
    (lib.mkIf (hasCrypttab || devices != [ ] || entries != [ ]) { system.debian.packages = [ "cryptsetup-bin" ]; })
    (lib.mkIf (randomSwap != [ ]) {
      environment.etc.crypttab.text = lib.concatMapStrings (
        entry:
        let
          inherit (entry) randomEncryption;
          options =
            [ "swap" "plain" "cipher=${randomEncryption.cipher}" ]
            ++ lib.optional (randomEncryption.keySize != null) "size=${toString randomEncryption.keySize}"
            ++ lib.optional (randomEncryption.sectorSize != null) "sector-size=${toString randomEncryption.sectorSize}"
            ++ lib.optional randomEncryption.allowDiscards "discard";
        in
        "${nameOf entry.device} ${entry.device} ${randomEncryption.source} ${lib.concatStringsSep "," options}\n"
      ) randomSwap;
    })
  ];
}
