# Works out group, passwd and shadow from the declared users and groups (spec/users, spec/groups) and what the machine has. Writes
# them, the id maps and the list of homes to make to the directory `new`.
function field(text) { return text == "-" ? "" : text }
# The lowest or highest free id of a range; ids that anything ever had are not free.
function free(taken, from, to, step,   id) {
  for (id = from; id != to + step; id += step) if (!(id in taken)) { taken[id] = 1; return id }
  print "users: no free id is left" > "/dev/stderr"
  exit 1
}
# Days from 1970 to a date, for shadow's field of expiry.
function expiry(date,   y, m, d) {
  if (date == "-") return ""
  y = substr(date, 1, 4) + 0; m = substr(date, 6, 2) + 0; d = substr(date, 9, 2) + 0
  if (m <= 2) { y--; m += 12 }
  return int(365.25 * y) - int(y / 100) + int(y / 400) + int(30.6001 * (m + 1)) + d - 719591
}
function load(file, store,   line, part) {
  while ((getline line < file) > 0) { split(line, part, ":"); store[part[1]] = line }
  close(file)
}
BEGIN {
  load("/etc/passwd", oldUser); load("/etc/group", oldGroup); load("/etc/shadow", oldShadow)
  while ((getline line < "/var/lib/firn/uid-map") > 0) { split(line, part, ":"); uidOf[part[1]] = part[2]; takenUid[part[2]] = 1 }
  while ((getline line < "/var/lib/firn/gid-map") > 0) { split(line, part, ":"); gidOf[part[1]] = part[2]; takenGid[part[2]] = 1 }
  while ((getline line < "/var/lib/firn/declared") > 0) wasDeclared[line] = 1
  while ((getline line < (new "/hashes")) > 0) { split(line, part, "\t"); fileHash[part[1]] = part[2] }
  for (name in oldUser) { split(oldUser[name], part, ":"); takenUid[part[3]] = 1 }
  for (name in oldGroup) { split(oldGroup[name], part, ":"); takenGid[part[3]] = 1 }

  while ((getline line < (spec "/groups")) > 0) {
    split(line, part, "\t")
    groups[++groupCount] = part[1]; wantGid[part[1]] = field(part[2]); wantMembers[part[1]] = field(part[3]); isGroup[part[1]] = 1
    if (wantGid[part[1]] != "") takenGid[wantGid[part[1]]] = 1
  }
  while ((getline line < (spec "/users")) > 0) {
    users[++userCount] = line
    split(line, part, "\t")
    isUser[part[1]] = 1
    if (part[2] != "-") takenUid[part[2]] = 1
  }

  for (i = 1; i <= groupCount; i++) {
    name = groups[i]
    had = name in oldGroup
    split(had ? oldGroup[name] : "", part, ":")
    gid = wantGid[name]
    if (gid == "") gid = had ? part[3] : ((name in gidOf) ? gidOf[name] : free(takenGid, 989, 400, -1))
    else if (had && part[3] != gid)
      print "warning: the gid of group '" name "' changes from " part[3] " to " gid "; its files keep the old one" > "/dev/stderr"
    gidOf[name] = gid
    members = wantMembers[name]
    # Members added on the machine stay while accounts are mutable, but those that were declared and no longer are do not.
    if (mutable && had) {
      n = split(part[4], member, ",")
      for (j = 1; j <= n; j++)
        if (member[j] != "" && !(member[j] in isUser) && !(("u:" member[j]) in wasDeclared) && index("," members ",", "," member[j] ",") == 0)
          members = members (members == "" ? "" : ",") member[j]
    }
    print name ":x:" gid ":" members > (new "/group")
    print "g:" name > (new "/declared")
  }
  if (mutable) for (name in oldGroup) if (!(name in isGroup) && !(("g:" name) in wasDeclared)) print oldGroup[name] > (new "/group")

  printf "" > (new "/homes"); printf "" > (new "/linger")
  for (i = 1; i <= userCount; i++) {
    n = split(users[i], f, "\t")
    name = f[1]; normal = f[4] == "1"
    had = name in oldUser
    split(had ? oldUser[name] : "", old, ":")
    uid = field(f[2])
    if (uid == "") {
      if (had) uid = old[3]
      else if (name in uidOf) uid = uidOf[name]
      else uid = normal ? free(takenUid, 1000, 29999, 1) : free(takenUid, 989, 400, -1)
    } else if (had && old[3] != uid)
      print "warning: the uid of user '" name "' changes from " old[3] " to " uid "; its files keep the old one" > "/dev/stderr"
    uidOf[name] = uid
    gid = gidOf[f[3]]
    shell = field(f[8])
    if (shell == "") shell = "/usr/sbin/nologin"
    print name ":x:" uid ":" gid ":" field(f[13]) ":" f[5] ":" shell > (new "/passwd")
    print "u:" name > (new "/declared")
    if (f[6] == "1") print uid "\t" gid "\t" f[7] "\t" f[5] > (new "/homes")
    if (f[11] == "1") print name > (new "/linger")

    hash = (name in fileHash) ? fileHash[name] : (f[9] == "-" ? "!" : substr(f[9], 2))
    if (mutable && name in oldShadow) print oldShadow[name] > (new "/shadow")
    else {
      changed = today
      if (name in oldShadow) { split(oldShadow[name], s, ":"); if (s[2] == hash) changed = s[3] }

      print name ":" hash ":" changed ":::::" expiry(f[12]) ":" > (new "/shadow")
    }
  }
  if (mutable) for (name in oldUser) if (!(name in isUser) && !(("u:" name) in wasDeclared)) {
    print oldUser[name] > (new "/passwd")
    if (name in oldShadow) print oldShadow[name] > (new "/shadow")
  }
  for (name in uidOf) print name ":" uidOf[name] > (new "/uid-map")
  for (name in gidOf) print name ":" gidOf[name] > (new "/gid-map")
}
