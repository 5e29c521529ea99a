# Builder of boot/grub.nix, run by busybox sh: $out/boot.img for the first sector of a disk, $out/core.img with all that GRUB needs.
set -eu
mkdir -p "$out"
cp "$modules/boot.img" "$out/boot.img"
sed "s,@place@,$place,g" "$early" >"$NIX_BUILD_TOP/early.cfg"
"$linker" --library-path "$libraries" "$mkimage" -O i386-pc -d "$modules" -o "$out/core.img" -c "$NIX_BUILD_TOP/early.cfg" -p "$place/grub" \
  biosdisk part_gpt part_msdos ext2 fat btrfs xfs search search_fs_file search_fs_uuid search_label \
  normal configfile linux test echo ls cat sleep halt reboot serial terminal minicmd chain true regexp
chmod 644 "$out/boot.img" "$out/core.img"
