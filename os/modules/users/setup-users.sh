# Part of the activation script (busybox sh). $1: directory with the files users and groups; $2: 1 if accounts may be changed on
# the machine; $3: users.awk. Writes /etc/group, passwd, shadow and makes homes; ids once given are kept in /var/lib/firn.
mkdir -p /run/firn/users /var/lib/firn
_new=/run/firn/users
_had="$1"
for file in passwd group shadow; do
  [ -e /etc/$file ] || { : >/etc/$file; }
done
for file in uid-map gid-map declared; do
  [ -e /var/lib/firn/$file ] || : >/var/lib/firn/$file
done
: >$_new/hashes
chmod 600 $_new/hashes
# Hashes from files, so that they never are in the store.
cut -f 1,10 "$1/users" | while IFS="$(printf '\t')" read -r name file; do
  if [ "$file" != - ]; then
    if [ -r "$file" ]; then
      printf '%s\t%s\n' "$name" "$(head -n 1 "$file")" >>$_new/hashes
    else
      echo "warning: password file '$file' of user '$name' cannot be read" >&2
    fi
  fi
done
rm -f $_new/passwd $_new/group $_new/shadow
(umask 077; awk -v spec="$1" -v new=$_new -v mutable="$2" -v today=$(($(date +%s) / 86400)) -f "$3") || _failed=1
if [ -s $_new/passwd ] && [ -s $_new/group ] && [ -s $_new/shadow ]; then
  shadow=$(awk -F : '$1 == "shadow" { print $3 }' $_new/group)
  for file in group passwd shadow; do
    if ! cmp -s $_new/$file /etc/$file; then
      cp $_new/$file /etc/.$file.new
      case $file in shadow) chown "0:${shadow:-0}" /etc/.$file.new; chmod 640 /etc/.$file.new ;; *) chmod 644 /etc/.$file.new ;; esac
      mv -f /etc/.$file.new /etc/$file
    fi
  done
  for file in uid-map gid-map declared; do
    cp $_new/$file /var/lib/firn/.$file.new
    mv -f /var/lib/firn/.$file.new /var/lib/firn/$file
  done
  while IFS="$(printf '\t')" read -r uid gid mode home; do
    if [ ! -e "$home" ]; then
      mkdir -p "$home"
      chown "$uid:$gid" "$home"
      chmod "$mode" "$home"
    fi
  done <$_new/homes
  # Ids of containers: those of accounts made on the machine stay.
  for file in subuid subgid; do
    [ -e /etc/$file ] || : >/etc/$file
    awk -F : -v declared="$1/$file" '
      FILENAME == "/etc/passwd" { uid[$1] = $3; next }
      FILENAME == declared {
        seen[$1] = 1
        if ($2 != "auto") print
        else if ($1 in uid) printf "%s:%.0f:65536\n", $1, 100000 + (uid[$1] >= 1000 ? uid[$1] - 1000 : 60000 + uid[$1]) * 65536
        next
      }
      !($1 in seen)
    ' /etc/passwd "$1/$file" /etc/$file >$_new/$file
    cmp -s $_new/$file /etc/$file || { cp $_new/$file /etc/.$file.new && chmod 644 /etc/.$file.new && mv -f /etc/.$file.new /etc/$file; }
  done
  mkdir -p /var/lib/systemd/linger
  while read -r name; do : >"/var/lib/systemd/linger/$name"; done <$_new/linger
else
  _failed=1
fi
rm -rf $_new
