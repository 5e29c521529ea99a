# Options of virtual hosts and their locations.
{ lib, config }:
let
  inherit (lib) mkOption types;
  bool =
    description:
    mkOption {
      type = types.bool;
      default = false;
      inherit description;
    };
  text =
    description:
    mkOption {
      type = types.lines;
      default = "";
      inherit description;
    };
  optional =
    type: description:
    mkOption {
      type = types.nullOr type;
      default = null;
      inherit description;
    };
  basicAuth = {
    basicAuth = mkOption {
      type = types.attrsOf types.str;
      default = { };
      example = {
        alice = "password";
      };
      description = "Users that are let in, with their passwords. All can read them in the store.";
    };
    basicAuthFile = optional types.path "File of users and hashes, whose users are let in. One in the store can be read by everyone on the machine.";
  };

  location = types.submodule {
    options = basicAuth // {
      proxyPass = optional types.str "Address to which requests are passed, as `http://127.0.0.1:8200`.";
      proxyWebsockets = bool "Whether connections may become WebSockets.";
      uwsgiPass = optional types.str "Address of a uwsgi server.";
      recommendedUwsgiSettings = mkOption {
        type = types.bool;
        default = config.services.nginx.recommendedUwsgiSettings;
        defaultText = lib.literalExpression "config.services.nginx.recommendedUwsgiSettings";
        description = "Whether the parameters of {option}`services.nginx.recommendedUwsgiSettings` are passed.";
      };
      fastcgiParams = mkOption {
        type = types.attrsOf (types.either types.str types.path);
        default = { };
        description = "Parameters of a FastCGI server.";
      };
      index = optional types.str "Names of index files.";
      tryFiles = optional types.str "Files to try, then where to go.";
      root = optional types.path "Directory of the files.";
      alias = optional types.path "Directory that stands for the location.";
      return = optional (types.oneOf [ types.str types.int ]) "Status, text or address that is answered.";
      extraConfig = text "Text added to the location.";
      priority = mkOption {
        type = types.int;
        default = 1000;
        description = "Order among the locations; lower comes first.";
      };
      recommendedProxySettings = mkOption {
        type = types.bool;
        default = config.services.nginx.recommendedProxySettings;
        defaultText = lib.literalExpression "config.services.nginx.recommendedProxySettings";
        description = "Whether the headers of {option}`services.nginx.recommendedProxySettings` are set.";
      };
    };
  };

  listenTypeWith = ssl: types.submodule {
    options = {
      addr = mkOption {
        type = types.str;
        description = "Address.";
      };
      port = optional types.port "Port.";
      inherit ssl;
      proxyProtocol = bool "Whether the PROXY protocol is spoken.";
      extraParameters = mkOption {
        type = types.listOf types.str;
        default = [ ];
        description = "Further parameters.";
      };
    };
  };

  listenType = listenTypeWith (bool "Whether TLS is spoken.");

  virtualHost = types.submodule (
    { name, ... }:
    {
      options = basicAuth // {
        serverName = optional types.str "Name of the host; the attribute's name by default.";
        serverAliases = mkOption {
          type = types.listOf types.str;
          default = [ ];
          example = [ "www.example.org" ];
          description = "Further names.";
        };
        listen = mkOption {
          type = types.listOf listenType;
          default = [ ];
          description = "Addresses and ports; by default 80 and, with TLS, 443 on all addresses.";
        };
        listenAddresses = mkOption {
          type = types.listOf types.str;
          default = [ ];
          description = "Addresses on which the usual ports are served; all by default.";
        };
        default = bool "Whether the host answers for names that no host has.";
        addSSL = bool "Whether HTTPS is served besides HTTP.";
        onlySSL = bool "Whether only HTTPS is served.";
        forceSSL = bool "Whether HTTPS is served and HTTP leads to it.";
        rejectSSL = bool "Whether HTTPS connections are refused.";
        enableACME = bool "Whether a certificate is got by {option}`security.acme`.";
        useACMEHost = optional types.str "Certificate of {option}`security.acme.certs` that is used.";
        acmeRoot = mkOption {
          type = types.nullOr types.str;
          default = "/var/lib/acme/acme-challenge";
          description = "Directory in which the authority looks for its proof; null is that of {option}`security.acme`.";
        };
        acmeFallbackHost = optional types.str "Host that is asked for a proof that is not there.";
        kTLS = bool "Whether the kernel does the work of TLS.";
        reuseport = bool "Whether each worker has a socket of its own.";
        sslCertificate = optional types.path "File of the certificate chain.";
        sslCertificateKey = optional types.path "File of the key, outside the store.";
        sslTrustedCertificate = optional types.path "File of certificates for OCSP and clients.";
        http2 = mkOption {
          type = types.bool;
          default = true;
          description = "Whether HTTP/2 is spoken over TLS.";
        };
        root = optional types.path "Directory of the files.";
        globalRedirect = optional types.str "Host to which everything is led.";
        redirectCode = mkOption {
          type = types.ints.between 300 399;
          default = 301;
          description = "Status of redirections.";
        };
        locations = mkOption {
          type = types.attrsOf location;
          default = { };
          example = lib.literalExpression ''{ "/".proxyPass = "http://127.0.0.1:8200"; }'';
          description = "Locations by their path.";
        };
        extraConfig = text "Text added to the host.";
      };
    }
  );
in
{
  inherit virtualHost;
  # TLS or not where an address does not say.
  defaultListen = listenTypeWith (optional types.bool "Whether TLS is spoken; null is with and without, as the host has it.");
}
