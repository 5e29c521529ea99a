# A file that evaluates to configurations whose systems are put together without running anything.
let
  tree =
    name: path:
    derivation {
      inherit name;
      system = "builtin";
      builder = "builtin:buildenv";
      manifest = "/nowhere";
      derivations = [ "true" 5 1 path ];
    };
  system = name: path: {
    config.system.build = {
      toplevel = tree "nixos-system-${name}" path;
      vm = tree "nixos-vm" ./system/vm;
      vmWithBootLoader = tree "nixos-vm-with-boot-loader" ./system/vm;
      images = {
        raw = tree "nixos-image-raw" ./system/image // {
          passthru.filePath = "nixos.img";
        };
        iso = throw "this image is not made";
      };
    };
  };
in
{
  a = system "a" ./system/a;
  b = system "b" ./system/b;
  broken = system "broken" ./system/broken;
}
