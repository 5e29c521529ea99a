# Builder of a system to which system.extraSystemBuilderCmds adds something, run by busybox sh.
set -eu
umask 022
cp -a "$tree" "$out"
chmod -R u+w "$out"
# With the paths of this very system in place of those of the tree.
for name in init activate dry-activate bin/switch-to-configuration boot.json; do
  if [ -f "$out/$name" ]; then sed -i -e "s,$tree,$out,g" "$out/$name"; fi
done
. "$extraPath"
