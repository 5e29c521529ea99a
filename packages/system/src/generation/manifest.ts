/** `firn-os.json`: the description that a generation carries. Written by the module set, read by `firn os`. */
import { FirnError, isJsonNumber, isJsonObject, type JsonValue, parseJson } from "@firn/formats";

/** A package of a system; the size is that of its files, in bytes. */
export interface SystemPackage {
  readonly name: string;
  readonly version: string;
  readonly size?: number;
}

/** A declared user. */
export interface SystemUser {
  readonly uid: number | undefined;
  readonly group: string;
  readonly groups: readonly string[];
  readonly home: string;
}

/** Settings of the boot menu. */
export interface BootSettings {
  readonly loader: "systemd-boot" | "grub" | "none";
  readonly efiSysMountPoint: string;
  /** Number of generations that the menu keeps; undefined for all. */
  readonly configurationLimit: number | undefined;
  /** Seconds for which the menu is shown; undefined to wait for a key. */
  readonly timeout: number | undefined;
  /** Number of failed starts after which the generation before a new one is taken; 0 turns counting off. */
  readonly bootCountingTries: number;
  readonly editor: boolean;
  /** Mode of the screen; undefined leaves it to the firmware. */
  readonly consoleMode?: string;
  /** Settings that only GRUB has. */
  readonly grub?: GrubSettings;
  /** Secrets of the first stage by their paths there: paths on the machine. */
  readonly secrets?: ReadonlyMap<string, string>;
}

/** Settings of GRUB. */
export interface GrubSettings {
  /** The disks that it is written to. */
  readonly devices: readonly string[];
  /** Path of the directory of kernels on its file system, as GRUB sees it; empty when it is the whole of one. */
  readonly place: string;
  /** Text of its configuration before and after the entries. */
  readonly extraConfig: string;
  readonly extraEntries: string;
}

/** Conditions that must hold after a switch. */
export interface HealthSettings {
  /** Seconds within which units must become active. */
  readonly timeout: number;
  /** Units that must be active; besides, no unit may have failed. */
  readonly units: readonly string[];
  /** True when the network must be as reachable as before. */
  readonly network: boolean;
}

/** The contents of the file. */
export interface SystemManifest {
  readonly name: string;
  readonly label: string;
  readonly packages: readonly SystemPackage[];
  readonly users: ReadonlyMap<string, SystemUser>;
  readonly groups: ReadonlyMap<string, number | undefined>;
  readonly boot: BootSettings;
  readonly health: HealthSettings;
  /** Texts by name whose change keeps a running machine from being switched. */
  readonly inhibitors: ReadonlyMap<string, string>;
}

/** The only version of the format so far. */
const format = 1;

/** Reads the file's text. Fails with `bad-system` when it is not a valid manifest. */
export function parseSystemManifest(text: string, where: string): SystemManifest {
  const bad = (what: string): FirnError => new FirnError("bad-system", `'${where}' is not a system manifest: ${what}`);
  let json: JsonValue;
  try {
    json = parseJson(text);
  } catch (error) {
    throw new FirnError("bad-system", `'${where}' is not a system manifest`, { cause: error });
  }
  const object = (value: JsonValue | undefined, what: string): ReadonlyMap<string, JsonValue> => {
    if (!isJsonObject(value)) throw bad(`${what} is not an object`);
    return value;
  };
  const list = (value: JsonValue | undefined, what: string): readonly JsonValue[] => {
    if (!Array.isArray(value)) throw bad(`${what} is not a list`);
    return value as readonly JsonValue[];
  };
  const string = (value: JsonValue | undefined, what: string): string => {
    if (typeof value !== "string") throw bad(`${what} is not a string`);
    return value;
  };
  const boolean = (value: JsonValue | undefined, what: string): boolean => {
    if (typeof value !== "boolean") throw bad(`${what} is not a boolean`);
    return value;
  };
  const optionalNumber = (value: JsonValue | undefined, what: string): number | undefined => {
    if (value === null || value === undefined) return undefined;
    if (!isJsonNumber(value) || !/^[0-9]{1,15}$/.test(value.number)) throw bad(`${what} is not a whole number`);
    return Number(value.number);
  };
  const number = (value: JsonValue | undefined, what: string): number => {
    const result = optionalNumber(value, what);
    if (result === undefined) throw bad(`${what} is missing`);
    return result;
  };

  const grubSettings = (grub: ReadonlyMap<string, JsonValue>): GrubSettings => ({
    devices: list(grub.get("devices"), "boot.grub.devices").map((device) => string(device, "a device of GRUB")),
    place: string(grub.get("place"), "boot.grub.place"),
    extraConfig: string(grub.get("extraConfig"), "boot.grub.extraConfig"),
    extraEntries: string(grub.get("extraEntries"), "boot.grub.extraEntries"),
  });
  const top = object(json, "it");
  const version = number(top.get("format"), "format");
  if (version !== format) {
    throw new FirnError("bad-system", `'${where}' has format ${version}; this Firn reads format ${format}`, {
      hint: "use the Firn of that system",
    });
  }
  const boot = object(top.get("boot"), "boot");
  const loader = string(boot.get("loader"), "boot.loader");
  if (loader !== "systemd-boot" && loader !== "grub" && loader !== "none")
    throw bad(`'${loader}' is not a boot loader`);
  const health = object(top.get("health"), "health");
  return {
    name: string(top.get("name"), "name"),
    label: string(top.get("label"), "label"),
    packages: list(top.get("packages"), "packages").map((value) => {
      const entry = object(value, "a package");
      const size = optionalNumber(entry.get("size"), "a package's size");
      return {
        name: string(entry.get("name"), "a package's name"),
        version: string(entry.get("version"), "a package's version"),
        ...(size === undefined ? {} : { size }),
      };
    }),
    users: new Map(
      [...object(top.get("users"), "users")].map(([name, value]) => {
        const entry = object(value, `user ${name}`);
        return [
          name,
          {
            uid: optionalNumber(entry.get("uid"), `the uid of ${name}`),
            group: string(entry.get("group"), `the group of ${name}`),
            groups: list(entry.get("groups"), `the groups of ${name}`).map((group) => string(group, "a group")),
            home: string(entry.get("home"), `the home of ${name}`),
          },
        ];
      }),
    ),
    groups: new Map(
      [...object(top.get("groups"), "groups")].map(([name, value]) => [
        name,
        optionalNumber(object(value, `group ${name}`).get("gid"), `the gid of ${name}`),
      ]),
    ),
    boot: {
      loader,
      efiSysMountPoint: string(boot.get("efiSysMountPoint"), "boot.efiSysMountPoint"),
      configurationLimit: optionalNumber(boot.get("configurationLimit"), "boot.configurationLimit"),
      timeout: optionalNumber(boot.get("timeout"), "boot.timeout"),
      bootCountingTries: number(boot.get("bootCountingTries"), "boot.bootCountingTries"),
      editor: boolean(boot.get("editor"), "boot.editor"),
      ...(boot.get("consoleMode") === undefined
        ? {}
        : { consoleMode: string(boot.get("consoleMode"), "boot.consoleMode") }),
      ...(loader === "grub" ? { grub: grubSettings(object(boot.get("grub"), "boot.grub")) } : {}),
      ...(boot.get("secrets") === undefined
        ? {}
        : {
            secrets: new Map(
              [...object(boot.get("secrets"), "boot.secrets")].map(([place, source]) => [
                place,
                string(source, `the secret ${place}`),
              ]),
            ),
          }),
    },
    health: {
      timeout: number(health.get("timeout"), "health.timeout"),
      units: list(health.get("units"), "health.units").map((unit) => string(unit, "a unit")),
      network: boolean(health.get("network"), "health.network"),
    },
    inhibitors: new Map(
      [...object(top.get("inhibitors") ?? new Map(), "inhibitors")].map(([name, value]) => [
        name,
        string(value, `the inhibitor ${name}`),
      ]),
    ),
  };
}
