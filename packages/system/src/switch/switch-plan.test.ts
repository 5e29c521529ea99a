import { afterAll, describe, expect, test } from "vitest";
import { makeFakeStore } from "../../../../tests/support/fake-system.ts";
import type { System } from "../generation/system.ts";
import { planUnits } from "./switch-plan.ts";
import type { RunningUnit } from "./systemd.ts";

const store = makeFakeStore();
afterAll(() => store.remove());

const unit = "etc/systemd/system";

function system(units: Readonly<Record<string, string>>): System {
  return store.system(
    "system",
    Object.fromEntries(
      Object.entries(units).map(([name, text]) => [name.startsWith("usr/") ? name : `${unit}/${name}`, text]),
    ),
  );
}

function running(...names: string[]): RunningUnit[] {
  return names.map((name) => ({ name, load: "loaded", active: "active", sub: "running" }));
}

const service = (exec: string, more = ""): string => `[Unit]\n${more}\n[Service]\nExecStart=${exec}\n`;

describe("a switch plans what happens to running units", () => {
  const nothing = { stop: [], reload: [], restart: [], start: [], skip: [], reexec: false };

  test("nothing for units that say the same, in other files and order", () => {
    const before = system({ "a.service": "[Service]\nType=exec\nExecStart=/a\n" });
    const after = system({ "a.service": "# a\n[Service]\nExecStart=/a\nType=exec\n" });
    expect(planUnits(before, after, running("a.service"))).toEqual(nothing);
  });

  test("a changed service is stopped before and started after the activation", () => {
    const plan = planUnits(
      system({ "a.service": service("/1") }),
      system({ "a.service": service("/2") }),
      running("a.service"),
    );
    expect(plan).toEqual({ ...nothing, stop: ["a.service"], start: ["a.service"] });
  });

  test("a drop-in is part of its unit, and one of /etc hides that of /usr of the same name", () => {
    const base = {
      "usr/lib/systemd/system/a.service": service("/1"),
      "usr/lib/systemd/system/a.service.d/x.conf": "[Service]\nNice=1\n",
    };
    const before = system(base);
    expect(
      planUnits(before, system({ ...base, "a.service.d/y.conf": "[Service]\nNice=2\n" }), running("a.service")).start,
    ).toEqual(["a.service"]);
    const same = system({ ...base, "a.service.d/x.conf": "[Service]\nNice=1\n" });
    expect(planUnits(before, same, running("a.service"))).toEqual(nothing);
  });

  test("what is not running is left alone, and so is what no system declares", () => {
    const before = system({ "a.service": service("/1") });
    const after = system({ "a.service": service("/2") });
    expect(planUnits(before, after, running("session-1.scope", "made-at-run-time.service"))).toEqual(nothing);
  });

  test.each([
    ["X-RestartIfChanged=false", { skip: ["a.service"] }],
    ["X-ReloadIfChanged=true", { reload: ["a.service"] }],
    ["X-StopIfChanged=false", { restart: ["a.service"] }],
    ["X-OnlyManualStart=true", { skip: ["a.service"] }],
    ["RefuseManualStop=true", { skip: ["a.service"] }],
  ])("%s is heeded", (key, expected) => {
    const plan = planUnits(
      system({ "a.service": service("/1") }),
      system({ "a.service": service("/2", key) }),
      running("a.service"),
    );
    expect(plan).toEqual({ ...nothing, ...expected });
  });

  test("new reload triggers alone reload; a description alone does nothing", () => {
    const before = system({ "a.service": service("/1", "X-Reload-Triggers=1") });
    expect(
      planUnits(before, system({ "a.service": service("/1", "X-Reload-Triggers=2") }), running("a.service")),
    ).toEqual({
      ...nothing,
      reload: ["a.service"],
    });
    const described = system({ "a.service": service("/1", "X-Reload-Triggers=1\nDescription=new") });
    expect(planUnits(before, described, running("a.service"))).toEqual(nothing);
  });

  test("a unit that is gone or masked is stopped, unless it says otherwise", () => {
    const before = system({
      "a.service": service("/1"),
      "b.service": service("/1", "X-StopOnRemoval=false"),
      "c.service": service("/1"),
    });
    const after = system({ "c.service": "-> /dev/null" });
    expect(planUnits(before, after, running("a.service", "b.service", "c.service"))).toEqual({
      ...nothing,
      stop: ["a.service", "c.service"],
    });
  });

  test("active targets are started, so that what they newly want starts; sleep is not touched", () => {
    const target = "[Unit]\nDescription=t\n";
    const before = system({ "multi-user.target": target, "suspend.target": target });
    const plan = planUnits(before, before, running("multi-user.target", "suspend.target"));
    expect(plan).toEqual({ ...nothing, start: ["multi-user.target"] });
  });

  test("a service that its socket starts is stopped with the socket, and only the socket is started", () => {
    const socket = "[Socket]\nListenStream=1\n";
    const before = system({ "a.service": service("/1"), "a.socket": socket });
    const after = system({ "a.service": service("/2"), "a.socket": socket });
    expect(planUnits(before, after, running("a.service", "a.socket"))).toEqual({
      ...nothing,
      stop: ["a.service", "a.socket"],
      start: ["a.socket"],
    });
  });

  test("mounts: other options remount, another device mounts anew, the root is never unmounted", () => {
    const mount = (what: string, options: string): string => `[Mount]\nWhat=${what}\nOptions=${options}\n`;
    const before = system({ "home.mount": mount("/dev/a", "ro"), "-.mount": mount("/dev/a", "rw") });
    const other = system({ "home.mount": mount("/dev/a", "rw"), "-.mount": mount("/dev/b", "rw") });
    expect(planUnits(before, other, running("home.mount", "-.mount"))).toEqual({
      ...nothing,
      reload: ["-.mount", "home.mount"],
    });
    const moved = system({ "home.mount": mount("/dev/b", "ro"), "-.mount": mount("/dev/a", "rw") });
    expect(planUnits(before, moved, running("home.mount"))).toEqual({ ...nothing, restart: ["home.mount"] });
  });

  test("an instance is compared by its template", () => {
    const plan = planUnits(
      system({ "a@.service": service("/1") }),
      system({ "a@.service": service("/2") }),
      running("a@x.service"),
    );
    expect(plan).toEqual({ ...nothing, stop: ["a@x.service"], start: ["a@x.service"] });
  });

  test("another systemd is started anew", () => {
    const before = system({ "usr/lib/systemd/systemd": "1" });
    const after = system({ "usr/lib/systemd/systemd": "2" });
    expect(planUnits(before, after, []).reexec).toBe(true);
    expect(planUnits(before, before, []).reexec).toBe(false);
  });
});
