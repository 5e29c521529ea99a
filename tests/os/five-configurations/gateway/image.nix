# An image for the container, and what a container inside the test's container cannot do without.
{ lib, pkgs, ... }:
{
  options.test.image = lib.mkOption {
    type = lib.types.package;
    description = "An image whose web server shows /www.";
  };
  config = {
    # A control group of a container in a container may not count processes.
    virtualisation.containers.containersConf.settings.containers.pids_limit = 0;
    test.image = pkgs.runCommand "image.tar" { } ''
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
  };
}
