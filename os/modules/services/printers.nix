# Printers that are declared, and those that write files of PDF.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  forms = import ../option-forms.nix { inherit lib pkgs; };
  cfg = config.hardware.printers;
  pdf = config.services.printing.cups-pdf;
  instances = lib.filterAttrs (_: instance: instance.enable) pdf.instances;
  printer = types.submodule {
    options = {
      name = forms.required (types.strMatching "[^ /#[:cntrl:]]+") "Its name.";
      location = forms.optional types.str "Where it is.";
      description = forms.optional types.str "What it is.";
      deviceUri = mkOption {
        type = types.str;
        example = "ipp://printer.local/ipp/print";
        description = "Where jobs are sent to.";
      };
      model = mkOption {
        type = types.str;
        example = "everywhere";
        description = "Its driver, one of `lpinfo -m`.";
      };
      ppdOptions = forms.attrsOf types.str "Options of the driver.";
    };
  };
  instance = types.submodule (
    { name, config, ... }:
    {
      options = {
        enable = forms.bool true "Whether it is there.";
        installPrinter = forms.bool true "Whether there is a printer of its name.";
        confFileText = forms.required types.lines "Text of its configuration: that of {option}`settings`, and what is added here.";
        settings = mkOption {
          type = types.submodule {
            freeformType = types.attrsOf (types.nullOr (types.oneOf [ types.int types.str types.path types.package ]));
            options = {
              Out = forms.of (types.nullOr types.singleLineStr) "/var/spool/cups-pdf-${name}/users/\${USER}" "Directory of the files.";
              AnonDirName = forms.of (types.nullOr types.singleLineStr) "/var/spool/cups-pdf-${name}/anonymous" "Directory of the files of nobody.";
              Spool = forms.of (types.nullOr types.singleLineStr) "/var/spool/cups-pdf-${name}/spool" "Directory of what is being made.";
              Anonuser = forms.of types.singleLineStr "root" "User whose the files of nobody are.";
              GhostScript = forms.of (types.nullOr types.path) "/usr/bin/gs" "The program that makes the files.";
            };
          };
          default = { };
          example = {
            Out = "\${HOME}/pdf";
          };
          description = "Settings of cups-pdf.conf; null leaves one out.";
        };
      };
      config.confFileText = lib.concatStrings (
        lib.mapAttrsToList (key: value: "${key} ${toString value}\n") (lib.filterAttrs (_: value: value != null) config.settings)
      );
    }
  );
  add =
    entry:
    "lpadmin -p ${lib.escapeShellArg entry.name} -E -v ${lib.escapeShellArg entry.deviceUri} -m ${lib.escapeShellArg entry.model}"
    + lib.optionalString (entry.location != null) " -L ${lib.escapeShellArg entry.location}"
    + lib.optionalString (entry.description != null) " -D ${lib.escapeShellArg entry.description}"
    + lib.concatStrings (lib.mapAttrsToList (name: value: " -o ${lib.escapeShellArg "${name}=${value}"}") entry.ppdOptions)
    + "\n";
in
{
  options.hardware.printers = {
    ensurePrinters = forms.listOf printer "Printers that are there.";
    ensureDefaultPrinter = forms.optional types.str "The printer that is meant when none is named.";
  };
  options.services.printing.cups-pdf = {
    enable = lib.mkEnableOption "printers that write files of PDF: Debian's printer-driver-cups-pdf";
    instances = mkOption {
      type = types.attrsOf instance;
      default.pdf = { };
      example.pdf.settings.Out = "\${HOME}/pdf";
      description = "These printers by name.";
    };
  };
  config = lib.mkMerge [
    (lib.mkIf (cfg.ensurePrinters != [ ] || cfg.ensureDefaultPrinter != null) {
      systemd.services.ensure-printers = {
        description = "Printers that are declared";
        wantedBy = [ "multi-user.target" ];
        wants = [ "cups.service" ];
        after = [ "cups.service" ];
        path = [ pkgs.cups-client ];
        serviceConfig = {
          Type = "oneshot";
          RemainAfterExit = true;
        };
        script =
          lib.concatMapStrings add cfg.ensurePrinters
          + lib.optionalString (cfg.ensureDefaultPrinter != null) "lpadmin -d ${lib.escapeShellArg cfg.ensureDefaultPrinter}\n";
      };
    })
    (lib.mkIf pdf.enable {
      services.printing = {
        enable = true;
        drivers = [ pkgs.printer-driver-cups-pdf ];
        # It becomes the user whose job it is; CUPS starts nothing that has such rights itself.
        backends.cups-pdf = pkgs.writeScript "cups-pdf" "#!/usr/bin/sh\nexec /run/wrappers/bin/cups-pdf \"$@\"\n";
      };
      security.wrappers.cups-pdf = {
        source = "/usr/lib/cups/backend/cups-pdf";
        owner = "root";
        group = "lp";
        permissions = "u+rx,g+x";
        setuid = true;
      };
      # The program adds its settings' place and the name of the printer to what it is called by.
      environment.etc = lib.mapAttrs' (
        name: instance: lib.nameValuePair "cups/cups-pdf-${name}.conf" { text = instance.confFileText; }
      ) instances;
      systemd.tmpfiles.rules = lib.concatLists (
        lib.mapAttrsToList (name: _: [
          "d /var/spool/cups-pdf-${name} 0755 root lp -"
          "d /var/spool/cups-pdf-${name}/users 0755 root lp -"
          "d /var/spool/cups-pdf-${name}/anonymous 1777 root lp -"
          "d /var/spool/cups-pdf-${name}/spool 0700 root lp -"
        ]) instances
      );
      hardware.printers.ensurePrinters = lib.mapAttrsToList (name: instance: {
        inherit name;
        model = "lsb/usr/cups-pdf/CUPS-PDF_opt.ppd";
        deviceUri = "cups-pdf:/${name}";
        description = "Files of PDF";
        location = instance.settings.Out;
      }) (lib.filterAttrs (_: instance: instance.installPrinter) instances);
    })
  ];
}
