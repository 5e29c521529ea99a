/** Six more machines as users of NixOS write them, each built, booted and used. All of it is run with FIRN_ALL_STEPS. */
import { renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { canBootContainers } from "../../support/build-systems.ts";
import { bootConfiguration, type ContainerMachine } from "../../support/container-machine.ts";

const runs = canBootContainers && process.env.FIRN_ALL_STEPS !== undefined;
/** What is booted in a container that has no network of its own instead, with the programs of the clients. */
const container = (more = ""): string => `{ pkgs, ... }: {
  imports = [ ./theirs.nix ];
  environment.systemPackages = with pkgs; [ avahi-utils busybox-static curl dig jq rsync smbclient socat ];
  boot.isContainer = true;
  systemd.network.wait-online.enable = false;
  ${more}
}
`;
let machine: ContainerMachine;
const out = (command: string): Promise<string> => machine.out(command);
const boots = (name: string, more?: string): void => {
  beforeAll(async () => {
    machine = await bootConfiguration(join(import.meta.dirname, name), async (copy) => {
      renameSync(join(copy, "configuration.nix"), join(copy, "theirs.nix"));
      writeFileSync(join(copy, "configuration.nix"), container(more));
    });
  }, 900_000);
  afterAll(() => machine?.remove());
};
/** Waits until a command succeeds; returns its output. */
const until = (command: string, tenths = 300): Promise<string> =>
  out(
    `for i in {1..${tenths}}; do r=$(${command}) 2>/dev/null && echo "$r" && exit; sleep 0.1; done; ${command}; exit 1`,
  );

describe.skipIf(!runs)("a large site in PHP", () => {
  boots("cloud");

  test("is served from its pool, with its database and its cache", async () => {
    expect(await out("curl -s http://127.0.0.1/first")).toBe("visits 1, 512M, /var/lib/cloud, /first");
    expect(await out("curl -s http://127.0.0.1/index.php/second?a=b")).toBe("visits 2, 512M, /var/lib/cloud, /second");
    expect(await out("mariadb -N cloud -e 'SELECT path FROM visits'")).toBe("/first\n/second");
    expect(await out("mariadb -N -e 'SELECT @@tx_isolation, @@skip_name_resolve'")).toBe("READ-COMMITTED\t1");
  });

  test("has its rules of places, in their order", async () => {
    const status = "curl -s -o /dev/null -w '%{http_code} %{redirect_url}' http://127.0.0.1";
    expect(await out(`${status}/data/x.php`)).toBe("404");
    expect(await out(`${status}/.well-known/carddav`)).toBe("301 http://127.0.0.1/remote.php/dav");
    expect(await out("curl -s http://127.0.0.1/robots.txt")).toBe("Disallow: /");
    expect(await out("curl -sI http://127.0.0.1/cron.php | grep -i nosniff")).toContain("X-Content-Type-Options");
  });

  test("runs its jobs as its own user, and dumps its database", async () => {
    await out("systemctl start cloud-cron mysql-backup");
    expect(await out("tail -n 1 /var/lib/cloud/cron.log")).toBe("ran as cloud");
    expect(await out("zcat /var/backup/mysql/cloud.gz | grep -c '/second'")).toBe("1");
    expect(await out("systemctl list-timers --all --no-legend | grep -c cloud-cron")).toBe("1");
    await out("logrotate -f /etc/logrotate.conf; ls /var/lib/cloud/cron.log.1");
  });
});

describe.skipIf(!runs)("a machine that watches others", () => {
  boots("metrics");
  const query = (expression: string) =>
    `curl -sG http://127.0.0.1:9001/api/v1/query --data-urlencode 'query=${expression}' | jq -er '.data.result[0].value[1]'`;

  test("collects figures, with labels of its own and sums by rules", async () => {
    expect(await until(query('up{job="node",room="cellar",host="localhost"}'))).toBe("1");
    expect(await until(query("probe_success == 1"))).toBe("1");
    expect(await until(query("jobs:up == 2"))).toBe("2");
    await out("systemctl start backup-age");
    expect(await until(query("backup_age_seconds"))).toBe("42");
    expect(await out("curl -s http://127.0.0.1:9100/metrics | grep -c '^node_zfs' || true")).toBe("0");
  }, 60_000);

  test("tells of what is down", async () => {
    // What the manager of alerts sends is written down by who is told.
    await machine.run("socat -u TCP-LISTEN:9999,bind=127.0.0.1 CREATE:/root/told >/dev/null 2>&1 &");
    expect(await until("grep -a -o -m 1 'POST /[a-z-]*' /root/told", 900)).toBe("POST /secret-word");
    expect(await until("grep -a -o 'gone is down' /root/told | head -n 1 | grep gone")).toBe("gone is down");
  }, 120_000);

  test("shows its page to who knows the password", async () => {
    const page = "curl -s -H 'Host: watch.example.test' http://127.0.0.1";
    expect(await out(`${page}/; ${page}/prometheus/-/ready -o /dev/null -w ' %{http_code}'`)).toBe("watching 401");
    expect(await out(`${page}/prometheus/-/ready -u 'admin:let me in'`)).toContain("Ready");
    expect(await out("nft list ruleset | grep 9100")).toBe('iifname "br0" tcp dport 9100 accept');
  });
});

describe.skipIf(!runs)("a machine of files", () => {
  // There is no server of NFS in the kernel of a container's host.
  boots("files", "services.nfs.server.enable = pkgs.lib.mkForce false;");

  test("gives Samba's shares to whom they are for", async () => {
    await out("(echo word; echo word) | smbpasswd -s -a anna; (echo word; echo word) | smbpasswd -s -a ben");
    await out("echo mine >/root/file");
    await out("smbclient //127.0.0.1/family -U anna%word -c 'put /root/file shared'");
    expect(await out("stat -c '%U %G %a' /srv/family/shared")).toBe("anna family 660");
    expect(await out("smbclient //127.0.0.1/family -U ben%word -c 'get shared -' 2>/dev/null")).toContain("mine");
    expect((await machine.run("smbclient //127.0.0.1/family -N -c ls")).out).toContain("ACCESS_DENIED");
    await out("echo song >/srv/media/song");
    expect(await out("smbclient //127.0.0.1/public -N -c 'get song -' 2>/dev/null")).toContain("song");
    await out("smbclient //127.0.0.1/ben -U ben%word -c 'put /root/file own'; test -e /home/ben/own");
  });

  test("has its directories as they are declared, also under another place", async () => {
    expect(await out("stat -c '%a %U %G' /srv/family /srv/private/anna /srv/scratch")).toBe(
      "2770 root family\n700 anna users\n1777 root root",
    );
    expect(await out("cat /export/media/song; findmnt -n -o OPTIONS /export/media | grep -o '^ro'")).toBe("song\nro");
    expect(await out("getent passwd guest | cut -d: -f7")).toBe("/usr/sbin/nologin");
  });

  test("gives files by rsync and sftp, and tells the network what it has", async () => {
    expect(await out("rsync rsync://127.0.0.1/media/song /root/got; cat /root/got")).toBe("song");
    expect(await out("sshd -T -C user=anna,host=x,addr=127.0.0.1 | grep -E '^(chroot|force)' | sort")).toBe(
      "chrootdirectory /srv\nforcecommand internal-sftp",
    );
    expect(await until("avahi-browse -pt _adisk._tcp | grep -m 1 -o ';nas;'", 20)).toBe(";nas;");
    expect(await out("systemctl is-active wsdd samba-smbd; systemctl is-enabled samba-nmbd 2>&1 || true")).toMatch(
      /^active\nactive/,
    );
  });
});

describe.skipIf(!runs)("a router", () => {
  // Both of its networks are virtual, with a client and a server at their other ends.
  boots(
    "router",
    `systemd.services.wires = {
      wantedBy = [ "network-pre.target" ];
      before = [ "network-pre.target" "systemd-networkd.service" ];
      wants = [ "network-pre.target" ];
      unitConfig.DefaultDependencies = false;
      serviceConfig = { Type = "oneshot"; RemainAfterExit = true; };
      path = [ "/usr" ];
      script = ''
        ip netns add client
        ip netns add world
        ip link add lan0 type veth peer name eth0 address 02:00:00:00:00:50 netns client
        ip link add wan0 type veth peer name eth0 netns world
        ip -n client link set lo up
        ip -n client link set eth0 up
        ip -n world link set lo up
        ip -n world link set eth0 up
        ip -n world address add 203.0.113.1/24 dev eth0
        ip -n world address add 198.51.100.7/32 dev lo
        ip -n world address add 198.51.100.66/32 dev lo
      '';
    };`,
  );
  const client = (command: string) => out(`ip netns exec client ${command}`);

  test("gives its clients addresses and names", async () => {
    const script = "/root/lease.sh";
    await out(`cat >${script} <<'END'
#!/bin/bash
[ "$1" = bound ] || exit 0
ip address add "$ip/$mask" dev eth0
ip route add default via "$router"
echo "$ip $mask $router $dns $domain" >/root/lease
END
chmod +x ${script}`);
    await client(`busybox udhcpc -i eth0 -n -q -s ${script} -x hostname:server`);
    expect(await out("cat /root/lease")).toBe("192.168.10.50 24 192.168.10.1 192.168.10.1 lan");
    const ask = (name: string) => client(`dig +short @192.168.10.1 ${name}`);
    expect(await ask("router.lan")).toBe("192.168.10.1");
    expect(await ask("server.lan")).toBe("192.168.10.50");
    expect(await ask("ads.test")).toBe("0.0.0.0");
    expect(await out("cat /etc/resolv.conf | grep nameserver | head -n 1")).toBe("nameserver 127.0.0.1");
  }, 60_000);

  test("sends their packets on under its own address, and the world's to the server behind it", async () => {
    const serve = (where: string, port: number) =>
      machine.run(
        `ip netns exec ${where} socat TCP-LISTEN:${port},fork,reuseaddr SYSTEM:'echo $SOCAT_PEERADDR' >/dev/null 2>&1 &`,
      );
    await serve("world", 7000);
    await serve("client", 80);
    expect(await client("socat -T 5 - TCP:198.51.100.7:7000,connect-timeout=5 </dev/null")).toBe("203.0.113.2");
    expect(await out("ip netns exec world socat -T 5 - TCP:203.0.113.2:8080,connect-timeout=5 </dev/null")).toBe(
      "203.0.113.1",
    );
    // A rule of its own.
    expect((await machine.run("ip netns exec client ping -c 1 -W 1 198.51.100.66")).code).not.toBe(0);
    await client("ping -c 1 -W 5 198.51.100.7");
    // What comes from outside by itself goes nowhere.
    await out("ip -n world route add 192.168.10.0/24 via 203.0.113.2");
    expect((await machine.run("ip netns exec world ping -c 1 -W 1 192.168.10.50")).code).not.toBe(0);
  }, 60_000);

  test("lets in from outside what is declared, and all from inside", async () => {
    const port = (where: string, host: string) =>
      machine.run(`ip netns exec ${where} socat -u /dev/null TCP:${host}:22,connect-timeout=2`);
    expect((await port("client", "192.168.10.1")).code).toBe(0);
    expect((await port("world", "203.0.113.2")).code).not.toBe(0);
    expect(await out("nft list ruleset")).toContain('iifname "wan0" udp dport 51820 accept');
    if ((await machine.run("ip link add probe type wireguard && ip link delete probe")).code !== 0) return;
    expect(await out("wg show wg0 peers")).toBe("xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=");
  });
});

describe.skipIf(!runs)("the machine of somebody who writes programs", () => {
  boots("desk");
  const as = (user: string, command: string) => out(`su - ${user} -c '${command.replaceAll("'", "'\\''")}'`);

  test("zsh is everybody's shell, set up as it is declared", async () => {
    expect(await out("getent passwd dev root fisher | cut -d: -f1,7")).toBe(
      "dev:/usr/bin/zsh\nroot:/usr/bin/zsh\nfisher:/usr/bin/fish",
    );
    const zsh = (command: string) => as("dev", `zsh -ic '${command}'`);
    expect(await zsh('echo $HISTSIZE; alias update; bindkey -lL main; setopt | grep -E "autocd|sharehistory"')).toBe(
      "10000\nupdate='firn os switch'\nbindkey -A viins main\nautocd\nsharehistory",
    );
    expect(await zsh("echo $ZSH_AUTOSUGGEST_STRATEGY ${#ZSH_HIGHLIGHT_HIGHLIGHTERS}; print -P $PROMPT")).toMatch(
      /^history 1\ndev@desk ~ %/,
    );
    expect(await zsh("echo $EDITOR $PAGER $GOPATH $MOZ_ENABLE_WAYLAND $FROM_SHELL_INIT $LC_TIME")).toBe(
      "nvim less -R /home/dev/go 1 1 de_DE.UTF-8",
    );
  });

  test("fish has its abbreviations and the same variables", async () => {
    expect(await as("fisher", "fish -ic 'abbr; echo $EDITOR'")).toBe("abbr -a -- g git\nnvim");
  });

  test("git, tmux, editors and ssh are as they are declared", async () => {
    await as("dev", "git init -q r && cd r && echo x >f && git add f && git commit -qm one");
    expect(
      await as("dev", "git -C r log --format=%an; git -C r branch --show-current; git ls-remote --get-url gh:a/b"),
    ).toBe("Dev Eloper\nmain\nhttps://github.com/a/b");
    expect(
      await as(
        "dev",
        "tmux new-session -d -s x; tmux show -gv prefix base-index mouse; tmux show -gv base-index; tmux show -gv default-terminal; tmux show -sv escape-time",
      ),
    ).toContain("1\ntmux-256color\n0");
    expect(await as("dev", "nvim --headless +'lua print(vim.g.mine)' +q 2>&1; zsh -ic 'which vi vim'")).toContain("7");
    expect(await as("dev", "ssh -G work | grep -E '^(hostname|user) '")).toBe("user dev\nhostname work.example.org");
    expect(await out("grep -c github.com /etc/ssh/ssh_known_hosts")).toBe("1");
  });

  test("programs of its packages run, also those that are only a user's", async () => {
    expect(await as("dev", "hello-dev; python3 -c 'import packaging; print(packaging.__name__)'")).toBe(
      "hello from desk\npackaging",
    );
    await as("dev", "printf 'int main(){return 7;}' >a.c && gcc a.c -o a; ./a; test $? = 7");
    expect(await as("dev", "node -p '6*7'; echo '{\"a\":[1]}' | jq -c .a; echo needle | rg need")).toBe(
      "42\n[1]\nneedle",
    );
    expect(await as("dev", "ulimit -Sn; locale -k d_fmt | grep -o '%d.%m.%Y'")).toBe("8192\n%d.%m.%Y");
  });

  test("fonts are found by their names, with the smoothing of the screen", async () => {
    expect(
      await out("fc-match -f '%{family} %{rgba} %{hintstyle}' monospace; echo; fc-match -f '%{family}' serif"),
    ).toBe("DejaVu Sans Mono 1 1\nC059");
  });

  test("podman stands in for docker", async () => {
    expect(await out("docker --version")).toContain("podman version");
    expect(await out("curl -s --unix-socket /run/docker.sock http://d/_ping")).toBe("OK");
    expect(await out("systemctl is-enabled podman-prune.timer; podman info --format '{{.Registries}}'")).toContain(
      "docker.io",
    );
  }, 60_000);

  test("what belongs to users runs for them", async () => {
    expect(await until("cat /home/dev/greeted")).toBe("hello");
    expect(await as("dev", "sudo -n id -un")).toBe("root");
    expect((await machine.run("su - fisher -c 'sudo -n -l'")).out).toMatch(/systemctl restart\s+cups\.service/);
    expect(await out("systemctl list-timers --all --no-legend | grep -cE 'nix-gc|plocate'")).toBe("2");
    expect(
      await as("dev", "XDG_RUNTIME_DIR=/run/user/$(id -u) systemctl --user is-active tidy.timer ssh-agent"),
    ).toContain("active");
  });
});

describe.skipIf(!runs)("a relay of mail", () => {
  boots("relay");

  test("sends everything on with its password, under the name of the domain", async () => {
    await out(`cat >/root/provider.py <<'END'
import base64, socketserver
class Session(socketserver.StreamRequestHandler):
    def handle(self):
        say = lambda text: self.wfile.write(text.encode() + b"\\r\\n")
        say("220 provider ESMTP")
        for line in self.rfile:
            word = line.strip().decode()
            open("/root/provider.log", "a").write(word + "\\n")
            up = word.upper()
            if up.startswith("EHLO"): say("250-provider"); say("250 AUTH PLAIN")
            elif up.startswith("AUTH"): say("235 ok")
            elif up == "DATA":
                say("354 go on")
                for line in self.rfile:
                    open("/root/provider.log", "ab").write(line)
                    if line == b".\\r\\n": break
                say("250 taken")
            elif up == "QUIT": say("221 bye"); return
            else: say("250 ok")
socketserver.TCPServer.allow_reuse_address = True
socketserver.ThreadingTCPServer(("127.0.0.1", 2525), Session).serve_forever()
END
systemd-run --quiet --unit provider /usr/bin/python3 /root/provider.py`);
    await until("ss -tln | grep -q :2525");
    await out("printf 'Subject: hello\\n\\ntext\\n' | sendmail someone@far.test");
    await until("grep -q '^text' /root/provider.log");
    const log = await out("cat /root/provider.log");
    expect(log).toContain(`AUTH PLAIN ${Buffer.from("\0user\0word").toString("base64")}`);
    expect(log).toMatch(/MAIL FROM:<root@example\.test>/);
    expect(log).toContain("RCPT TO:<someone@far.test>");
    expect(await out("stat -c %a /etc/postfix-secrets")).toBe("600");
  }, 60_000);

  test("tells root's address of units that fail and of what cron prints", async () => {
    await machine.run("systemctl start broken");
    await until("grep -q 'Subject: broken.service failed' /root/provider.log");
    await until("grep -q 'from cron' /root/provider.log", 900);
    expect(await out("grep -c 'RCPT TO:<ops@example.org>' /root/provider.log")).toMatch(/^[2-9]/);
  }, 120_000);

  test("keeps copies of itself and brings them back", async () => {
    await out("echo mine >/home/ops/letter; mkdir -p /home/ops/.cache; touch /home/ops/.cache/x /home/ops/y.tmp");
    await out("systemctl start restic-backups-nightly");
    await out("rm /home/ops/letter && restic-nightly restore latest --target / --include /home/ops >/dev/null");
    expect(await out("cat /home/ops/letter; restic-nightly ls latest | grep -cE 'y.tmp|.cache/x' || true")).toBe(
      "mine\n0",
    );
    expect(
      await out("restic-nightly ls latest /var/lib/prepared | tail -n 1; ls /var/lib/prepared 2>&1 || true"),
    ).toMatch(/^\/var\/lib\/prepared\n.*No such file/);
    expect(await out("systemctl cat restic-backups-nightly.timer | grep -E 'OnCalendar|Randomized'")).toBe(
      "OnCalendar=00:05\nRandomizedDelaySec=5h",
    );
  }, 90_000);

  test("shuts out who tries passwords, at each of its doors", async () => {
    await out("for i in 1 2; do echo \"$(date '+%F %T') refused 10.9.9.9\" >>/var/log/web.log; done");
    await until("fail2ban-client status web | grep 10.9.9.9");
    await out(
      "for i in 1 2; do logger -t postfix/smtpd -p mail.warn 'warning: unknown[10.9.9.8]: SASL LOGIN authentication failed: x'; done",
    );
    expect(await out("fail2ban-client status | grep 'Jail list'")).toMatch(/postfix-sasl.*sshd.*web/);
    expect(await until("nft list ruleset | grep -o 10.9.9.9")).toBe("10.9.9.9");
    expect(
      await out(
        "fail2ban-client get web maxretry; fail2ban-client get sshd findtime; sshd -T | grep -E '^(maxauthtries|allowusers)'",
      ),
    ).toBe("2\n600\nmaxauthtries 3\nallowusers root\nallowusers ops");
  }, 60_000);
});
