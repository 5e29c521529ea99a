# tmux and its configuration for the whole machine.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  forms = import ../option-forms.nix { inherit lib pkgs; };
  cfg = config.programs.tmux;
  plugins = pkgs.writeShellScript "tmux-plugins" (
    lib.concatMapStrings (plugin: if plugin ? rtp then "${plugin.rtp}\n" else "for file in ${plugin}/*.tmux ${plugin}/share/tmux-plugins/*/*.tmux; do if [ -x \"$file\" ]; then \"$file\"; fi; done\n") cfg.plugins
  );
  onOff = value: if value then "on" else "off";
in
{
  options.programs.tmux = {
    enable = lib.mkEnableOption "the terminal multiplexer tmux";
    package = forms.package "tmux";
    aggressiveResize = forms.bool false "Whether a window is only as small as the smallest session that shows it.";
    baseIndex = forms.int 0 "Number of the first window.";
    clock24 = forms.bool false "Whether clocks have 24 hours.";
    customPaneNavigationAndResize = forms.bool false "Whether hjkl choose panes and HJKL resize them, in vi's mode.";
    escapeTime = forms.int 500 "Milliseconds that are waited after an escape.";
    extraConfigBeforePlugins = forms.lines "Text before {option}`extraConfig`.";
    extraConfig = mkOption {
      type = types.lines;
      default = "";
      example = "set -g mouse on";
      description = "Text added to `/etc/tmux.conf`.";
    };
    historyLimit = forms.int 2000 "How many lines a window keeps.";
    keyMode = forms.of (types.enum [ "emacs" "vi" ]) "emacs" "Whose keys are used.";
    newSession = forms.bool false "Whether a session is made when there is none.";
    reverseSplit = forms.bool false "Whether v and s split windows the other way.";
    resizeAmount = forms.int 5 "How far a pane is resized.";
    shortcut = forms.str "b" "Key that commands begin with, together with Ctrl.";
    terminal = forms.str "screen" "What TERM is inside.";
    plugins = mkOption {
      type = types.listOf types.package;
      default = [ ];
      description = "Plugins: packages with a file that ends in `.tmux`, or with an attribute `rtp` that names it.";
    };
    secureSocket = forms.bool true "Whether sockets are in a directory that is the user's alone; it goes when the user has logged out.";
  };
  config = lib.mkIf cfg.enable {
    environment.systemPackages = [ cfg.package ];
    environment.shellInit = lib.mkIf cfg.secureSocket ''
      export TMUX_TMPDIR="''${XDG_RUNTIME_DIR:-/run/user/$(id -u)}"
    '';
    environment.etc."tmux.conf".text =
      ''
        set -g default-terminal "${cfg.terminal}"
        set -g base-index ${toString cfg.baseIndex}
        setw -g pane-base-index ${toString cfg.baseIndex}
        set -g history-limit ${toString cfg.historyLimit}
        set -g status-keys ${cfg.keyMode}
        set -g mode-keys ${cfg.keyMode}
        setw -g aggressive-resize ${onOff cfg.aggressiveResize}
        setw -g clock-mode-style ${if cfg.clock24 then "24" else "12"}
        set -s escape-time ${toString cfg.escapeTime}
      ''
      + lib.optionalString cfg.newSession "new-session -A -s 0\n"
      + lib.optionalString cfg.reverseSplit "bind v split-window -h\nbind s split-window -v\n"
      + lib.optionalString (cfg.keyMode == "vi" && cfg.customPaneNavigationAndResize) ''
        bind h select-pane -L
        bind j select-pane -D
        bind k select-pane -U
        bind l select-pane -R
        bind -r H resize-pane -L ${toString cfg.resizeAmount}
        bind -r J resize-pane -D ${toString cfg.resizeAmount}
        bind -r K resize-pane -U ${toString cfg.resizeAmount}
        bind -r L resize-pane -R ${toString cfg.resizeAmount}
      ''
      + lib.optionalString (cfg.shortcut != "b") ''
        unbind C-b
        set -g prefix C-${cfg.shortcut}
        bind ${cfg.shortcut} send-prefix
        bind C-${cfg.shortcut} last-window
      ''
      + cfg.extraConfigBeforePlugins
      + lib.optionalString (cfg.plugins != [ ]) "run-shell ${plugins}\n"
      + cfg.extraConfig;
  };
}
