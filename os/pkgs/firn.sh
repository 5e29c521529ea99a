# Builds Firn, run by bash in the environment of firn.nix: the sources are bundled as for the npm package.
set -euo pipefail
mkdir -p "$out/lib" "$out/bin"
if [[ -n $modules ]]; then
  cp -r "$sources" source
  chmod -R u+w source
  cd source
  cp -r "$modules/node_modules" node_modules
  chmod -R u+w node_modules
  mkdir -p node_modules/@firn
  for package in packages/*; do ln -s "../../$package" "node_modules/@firn/${package##*/}"; done
  export HOME=$NIX_BUILD_TOP
  "$nodejs/bin/node" --disable-warning=ExperimentalWarning scripts/bundle.ts --program-only
  cp -r dist/package "$out/lib/firn"
else
  # Bundled already.
  cp -r "$sources" "$out/lib/firn"
  chmod -R u+w "$out/lib/firn"
fi
cp -r "$native/node_modules" "$out/lib/firn/node_modules"
printf %s "$out" > "$out/lib/firn/store-path"
cat > "$out/bin/firn" <<EOF
#!/bin/sh
# A machine's store is read-only. Root gets a writable one, in a mount namespace, before Node.js starts, which would else start again for it.
if [ -O /nix/store ] && ! [ -w /nix/store ] && [ -z "\${FIRN_STORE_REMOUNTED-}\${NIX_REMOTE-}" ] && [ -x /usr/bin/unshare ]; then
  case \${1-} in
    help | -*) ;;
    *) exec /usr/bin/unshare --mount --propagation unchanged sh -c 'mount -o remount,bind,rw none /nix/store 2>/dev/null && export FIRN_STORE_REMOUNTED=1
exec "\$0" "\$@"' $out/lib/firn/start "\$@" ;;
  esac
fi
exec $out/lib/firn/start "\$@"
EOF
cat > "$out/lib/firn/start" <<EOF
#!/bin/sh
GLIBC_TUNABLES=glibc.malloc.hugetlb=1:\${GLIBC_TUNABLES:-} exec $nodejs/bin/node --v8-pool-size=0 --disable-warning=ExperimentalWarning $out/lib/firn/dist/firn.mjs "\$@"
EOF
# The old names: scripts use them, and an ssh:// store of another machine starts nix-store.
for name in nix-build nix-channel nix-collect-garbage nix-copy-closure nix-daemon nix-env nix-hash nix-instantiate nix-prefetch-url nix-shell nix-store; do
  printf '#!/bin/sh\nexec %s/bin/firn %s "$@"\n' "$out" "$name" > "$out/bin/$name"
done
chmod 755 "$out"/bin/* "$out/lib/firn/start"
