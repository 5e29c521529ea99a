# Jellyfin: films, series and music for browsers and players. Its packages are its maker's, from an archive that the lock names.
{
  config,
  lib,
  options,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  forms = import ../option-forms.nix { inherit lib pkgs; };
  cfg = config.services.jellyfin;
  hardware = cfg.hardwareAcceleration;
  coding = cfg.transcoding;
  codecs =
    what: names:
    lib.genAttrs names (name: forms.bool false "Whether the hardware ${what} ${name}.");
  element = name: value: "  <${name}>${lib.escapeXML (if builtins.isBool value then lib.boolToString value else toString value)}</${name}>\n";
  depths = [ "hevcRExt10bit" "hevcRExt12bit" ];
  encoding = pkgs.writeText "encoding.xml" (
    "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<EncodingOptions xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xmlns:xsd=\"http://www.w3.org/2001/XMLSchema\">\n"
    + element "HardwareAccelerationType" hardware.type
    + lib.optionalString (hardware.type == "vaapi" && hardware.device != null) (element "VaapiDevice" hardware.device)
    + lib.optionalString (hardware.type == "qsv" && hardware.device != null) (element "QsvDevice" hardware.device)
    + element "EncodingThreadCount" (if coding.threadCount == null then -1 else coding.threadCount)
    + element "EncoderPreset" coding.encodingPreset
    + element "EnableThrottling" coding.throttleTranscoding
    + element "EnableSegmentDeletion" coding.deleteSegments
    + element "EnableTonemapping" coding.enableToneMapping
    + element "EnableSubtitleExtraction" coding.enableSubtitleExtraction
    + element "H264Crf" coding.h264Crf
    + element "H265Crf" coding.h265Crf
    + element "EnableHardwareEncoding" coding.enableHardwareEncoding
    + element "AllowHevcEncoding" coding.hardwareEncodingCodecs.hevc
    + element "AllowAv1Encoding" coding.hardwareEncodingCodecs.av1
    + element "EnableIntelLowPowerH264HwEncoder" coding.enableIntelLowPowerEncoding
    + element "EnableIntelLowPowerHevcHwEncoder" coding.enableIntelLowPowerEncoding
    + element "EnableDecodingColorDepth10HevcRext" coding.hardwareDecodingCodecs.hevcRExt10bit
    + element "EnableDecodingColorDepth12HevcRext" coding.hardwareDecodingCodecs.hevcRExt12bit
    + "  <HardwareDecodingCodecs>\n"
    + lib.concatMapStrings (name: "  ${element "string" name}") (
      builtins.filter (name: coding.hardwareDecodingCodecs.${name} && !builtins.elem name depths) (builtins.attrNames coding.hardwareDecodingCodecs)
    )
    + "  </HardwareDecodingCodecs>\n</EncodingOptions>\n"
  );
  # Settings that nobody has made are left to Jellyfin's pages.
  isSet = option: option.highestPrio < (lib.mkOptionDefault null).priority;
  usesEncoding =
    hardware.enable || cfg.forceEncodingConfig || builtins.any isSet (lib.collect lib.isOption options.services.jellyfin.transcoding);
in
{
  options.services.jellyfin = {
    enable = lib.mkEnableOption "Jellyfin, a server of films and music. Its packages are added by `firn deb add --archive jellyfin=https://repo.jellyfin.org/debian --key FILE jellyfin`";
    package = forms.package "jellyfin";
    user = forms.str "jellyfin" "The account as which it runs.";
    group = forms.str "jellyfin" "The group as which it runs.";
    dataDir = forms.path "/var/lib/jellyfin" "Directory of the data.";
    configDir = mkOption {
      type = types.path;
      default = "${cfg.dataDir}/config";
      defaultText = lib.literalExpression ''"''${config.services.jellyfin.dataDir}/config"'';
      description = "Directory of the configuration.";
    };
    cacheDir = forms.path "/var/cache/jellyfin" "Directory of what can be made anew.";
    logDir = mkOption {
      type = types.path;
      default = "${cfg.dataDir}/log";
      defaultText = lib.literalExpression ''"''${config.services.jellyfin.dataDir}/log"'';
      description = "Directory of the logs.";
    };
    openFirewall = forms.bool false "Whether the firewall lets in what Jellyfin uses unless its pages say otherwise: TCP 8096 and 8920, UDP 1900 and 7359.";
    hardwareAcceleration = {
      enable = lib.mkEnableOption "transcoding by hardware";
      device = mkOption {
        type = types.nullOr types.path;
        default = null;
        example = "/dev/dri/renderD128";
        description = "The device.";
      };
      type = forms.of (types.enum [ "none" "amf" "qsv" "nvenc" "v4l2m2m" "vaapi" "rkmpp" ]) "none" "The way it is spoken with.";
    };
    forceEncodingConfig = forms.bool false "Whether the settings of transcoding go before those made on Jellyfin's pages.";
    transcoding = {
      enableToneMapping = forms.bool true "Whether pictures of high dynamic range are mapped.";
      enableSubtitleExtraction = forms.bool true "Whether subtitles are sent as text.";
      throttleTranscoding = forms.bool false "Whether transcoding waits when it is far ahead.";
      threadCount = forms.optional types.ints.positive "How many threads are used; null lets Jellyfin choose.";
      hardwareDecodingCodecs = codecs "decodes" ([ "h264" "hevc" "mpeg2" "vc1" "vp8" "vp9" "av1" "hevc10bit" ] ++ depths);
      hardwareEncodingCodecs = codecs "encodes" [ "hevc" "av1" ];
      encodingPreset = forms.of (types.enum [
        "auto"
        "veryslow"
        "slower"
        "slow"
        "medium"
        "fast"
        "faster"
        "veryfast"
        "superfast"
        "ultrafast"
      ]) "auto" "How much work an encoder does.";
      deleteSegments = forms.bool true "Whether parts that have been seen are removed.";
      h264Crf = forms.of (types.ints.between 0 51) 23 "Quality of H.264, smaller is better.";
      h265Crf = forms.of (types.ints.between 0 51) 28 "Quality of H.265, smaller is better.";
      enableHardwareEncoding = forms.bool false "Whether the hardware encodes.";
      enableIntelLowPowerEncoding = forms.bool false "Whether Intel's hardware encodes with little power.";
    };
  };

  config = lib.mkIf cfg.enable {
    system.debian.packages = [ cfg.package.deb ];
    users.users = lib.mkIf (cfg.user == "jellyfin") {
      jellyfin = {
        inherit (cfg) group;
        isSystemUser = true;
        description = "Jellyfin";
        extraGroups = lib.optionals hardware.enable [ "render" "video" ];
      };
    };
    users.groups = lib.mkIf (cfg.group == "jellyfin") { jellyfin = { }; };
    networking.claimedPorts = [
      {
        port = 8096;
        by = "services.jellyfin";
      }
    ];
    networking.firewall = lib.mkIf cfg.openFirewall {
      allowedTCPPorts = [ 8096 8920 ];
      allowedUDPPorts = [ 1900 7359 ];
    };
    systemd.tmpfiles.settings.jellyfin = lib.genAttrs (map toString [ cfg.dataDir cfg.configDir cfg.logDir cfg.cacheDir ]) (_: {
      d = {
        mode = "700";
        inherit (cfg) user group;
      };
    });
    systemd.services.jellyfin = {
      description = "Jellyfin";
      documentation = [ "https://jellyfin.org/docs/" ];
      wantedBy = [ "multi-user.target" ];
      wants = [ "network-online.target" ];
      after = [ "network-online.target" ];
      restartTriggers = lib.optional usesEncoding encoding;
      preStart = lib.optionalString usesEncoding ''
        file=${lib.escapeShellArg (toString cfg.configDir)}/encoding.xml
        ${
          if cfg.forceEncodingConfig then
            ''
              if [ -e "$file" ] && ! cmp -s "$file" ${encoding}; then mv "$file" "$file.backup-$(date -u +%FT%H_%M_%SZ)"; fi
            ''
          else
            ''
              if [ -e "$file" ] && ! cmp -s "$file" ${encoding}; then
                echo "encoding.xml has other settings; those of the configuration are used with services.jellyfin.forceEncodingConfig" >&2
              fi
            ''
        }
        if ! [ -e "$file" ]; then install -m 600 ${encoding} "$file"; fi
      '';
      serviceConfig = removeAttrs forms.hardening [ "PrivateDevices" "ProtectSystem" "ProtectHome" ] // {
        Type = "simple";
        User = cfg.user;
        Group = cfg.group;
        UMask = "0077";
        WorkingDirectory = toString cfg.dataDir;
        ExecStart = "/usr/bin/jellyfin --datadir ${cfg.dataDir} --configdir ${cfg.configDir} --cachedir ${cfg.cacheDir} --logdir ${cfg.logDir} --webdir /usr/share/jellyfin/web --ffmpeg /usr/lib/jellyfin-ffmpeg/ffmpeg";
        Restart = "on-failure";
        TimeoutSec = 15;
        SuccessExitStatus = [ 0 143 ];
        PrivateDevices = !hardware.enable;
        DeviceAllow = lib.mkIf (hardware.enable && hardware.device != null) [ "${toString hardware.device} rw" ];
        RestrictAddressFamilies = [ "AF_UNIX" "AF_INET" "AF_INET6" "AF_NETLINK" ];
        SystemCallArchitectures = "native";
      };
    };
    assertions = [
      {
        assertion = hardware.enable -> hardware.device != null;
        message = "services.jellyfin.hardwareAcceleration.device must be set when the hardware is used";
      }
    ];
  };
}
