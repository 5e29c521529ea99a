# An authority that signs certificates, for the tests: pebble.
{ lib, config, pkgs, ... }:
let
  certificates = lib.attrNames config.security.acme.certs;
in
{
  networking.hosts."127.0.0.1" = [ "authority.test" ];
  environment.systemPackages = [
    pkgs.openssl
    pkgs.pebble
  ];
  environment.etc."pebble.json".text = builtins.toJSON {
    pebble = {
      listenAddress = "127.0.0.1:14000";
      managementListenAddress = "127.0.0.1:15000";
      certificate = "/var/lib/pebble/cert.pem";
      privateKey = "/var/lib/pebble/key.pem";
      httpPort = 80;
      tlsPort = 443;
      externalAccountBindingRequired = false;
    };
  };
  systemd.services = {
    pebble = {
      wantedBy = [ "multi-user.target" ];
      before = map (name: "acme-order-renew-${name}.service") certificates;
      environment.PEBBLE_VA_NOSLEEP = "1";
      preStart = ''
        cd /var/lib/pebble
        openssl req -x509 -newkey rsa:2048 -nodes -days 9 -keyout key.pem -out cert.pem -subj /CN=authority.test \
          -addext subjectAltName=DNS:authority.test 2>/dev/null
      '';
      postStart = "until curl -sk https://authority.test:14000/dir >/dev/null; do sleep 0.1; done";
      serviceConfig = {
        ExecStart = "/usr/bin/pebble -config /etc/pebble.json";
        StateDirectory = "pebble";
      };
    };
  }
  // lib.listToAttrs (
    map (name: lib.nameValuePair "acme-order-renew-${name}" { environment.LEGO_CA_CERTIFICATES = "/var/lib/pebble/cert.pem"; }) certificates
  );
  security.acme.defaults.server = "https://authority.test:14000/dir";
}
