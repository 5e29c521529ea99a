# The derivation that unpacks the archive of a channel.
{ name, channelName, src }:
derivation {
  inherit name channelName;
  src = builtins.storePath src;
  builder = "builtin:unpack-channel";
  system = "builtin";
  preferLocalBuild = true;
}
