# Imported by generated hardware-configuration.nix files; what is not detected is what every kernel here has.
{ }
