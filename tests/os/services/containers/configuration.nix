# One image run by podman, as a service, and by docker.
{ modulesPath, pkgs, ... }:
let
  image = pkgs.runCommand "image.tar" { } ''
    mkdir -p root/bin root/www image
    cp ${pkgs.busybox} root/bin/busybox
    chmod 755 root/bin/busybox
    echo "from a container" >root/www/index.html
    for applet in sh httpd; do ln -s busybox root/bin/$applet; done
    tar -C root -cf image/layer.tar .
    sum=$(sha256sum image/layer.tar | cut -d ' ' -f 1)
    cat >image/config.json <<EOF
    {
      "architecture": "amd64", "os": "linux", "rootfs": { "type": "layers", "diff_ids": [ "sha256:$sum" ] },
      "config": { "Cmd": [ "/bin/httpd", "-f", "-p", "80", "-h", "/www" ], "StopSignal": "SIGKILL" }
    }
    EOF
    echo '[ { "Config": "config.json", "RepoTags": [ "localhost/web:1" ], "Layers": [ "layer.tar" ] } ]' >image/manifest.json
    tar -C image -cf $out .
  '';
in
{
  imports = [ (modulesPath + "/profiles/minimal.nix") ];
  boot.isContainer = true;
  networking.hostName = "ship";
  systemd.network.wait-online.enable = false;
  environment.systemPackages = [ pkgs.curl ];
  environment.etc."image.tar".source = image;

  # A control group of a container in a container may not count processes.
  virtualisation.containers.containersConf.settings.containers.pids_limit = 0;
  virtualisation.podman.autoPrune.enable = true;
  virtualisation.docker = {
    enable = true;
    storageDriver = "vfs";
  };
  virtualisation.oci-containers.containers.web = {
    image = "localhost/web:1";
    imageFile = image;
    pull = "never";
    ports = [ "127.0.0.1:8080:80" ];
    environment.WORDS = "two words";
    volumes = [ "/srv/more:/www/more" ];
  };
  systemd.tmpfiles.rules = [
    "d /srv/more - - - -"
    "f /srv/more/index.html - - - - more"
  ];
  users.users.alice = {
    isNormalUser = true;
    extraGroups = [ "docker" ];
  };
}
