# An authority that signs certificates, for the test: pebble.
{ pkgs, ... }:
{
  networking.hosts."127.0.0.1" = [
    "authority.test"
    "media.home.test"
  ];
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
  systemd.services.pebble = {
    wantedBy = [ "multi-user.target" ];
    before = [ "acme-order-renew-media.home.test.service" ];
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
  security.acme.defaults.server = "https://authority.test:14000/dir";
  systemd.services."acme-order-renew-media.home.test".environment.LEGO_CA_CERTIFICATES = "/var/lib/pebble/cert.pem";
}
