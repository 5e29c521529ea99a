/** The operations of `nix-env` that change the packages of a profile. */
import { comparePriorities, type Package, requireMatches, Selector } from "@firn/flake";
import { compareVersions, FirnError, parseDrvName, traced } from "@firn/formats";
import { changeUserEnvironment, setProfile } from "@firn/system";
import { UsageError } from "../grammar/usage-error.ts";
import {
  derivedPathOf,
  type EnvironmentSession,
  installedIn,
  isPrebuilt,
  selectedPackages,
  showPlan,
  storePathOf,
  tell,
} from "./nix-env-session.ts";

/** The operations by the names of their flags; each resolves to the exit status. */
export const changeOperations = { install, upgrade, uninstall, set, "set-flag": setFlag } as const;

/** Changes the profile's packages, and begins anew when another process changes it meanwhile. */
async function change(session: EnvironmentSession, next: () => Promise<readonly Package[] | undefined>): Promise<void> {
  const { evaluator } = await session.evaluation();
  const { builder, profile, settings } = session;
  await changeUserEnvironment(
    { evaluator, builder, store: await session.store() },
    {
      profile,
      keepDerivations: settings.get("keep-env-derivations"),
      restart: () => tell(session, `profile "${profile}" changed while we were busy; restarting`),
    },
    next,
  );
}

const baseName = (item: Package): string => parseDrvName(item.name).name;

async function install(session: EnvironmentSession): Promise<number> {
  const { flags } = session.invocation;
  const priority = flags.value("priority");
  if (priority !== undefined && !/^[+-]?[0-9]+$/.test(priority))
    throw new UsageError("'--priority' requires an integer argument");
  const added = await preparedPackages(session, priority === undefined ? undefined : String(Number(priority)));
  const names = new Set(added.map(baseName));
  await change(session, async () => {
    const packages = [...added];
    if (!flags.has("remove-all")) {
      for (const item of await installedIn(session, session.profile)) {
        const replaced =
          !flags.has("preserve-installed") && names.has(baseName(item)) && !(await item.metaFlag("keep"));
        if (replaced) tell(session, `replacing old '${item.name}'`);
        else packages.push(item);
      }
      for (const { name } of added) tell(session, `installing '${name}'`);
    }
    await showPlan(session, added);
    return flags.has("dry-run") ? undefined : packages;
  });
  return 0;
}

/** Returns the selected packages as they are installed. */
async function preparedPackages(session: EnvironmentSession, priority: string | undefined): Promise<Package[]> {
  const { flags } = session.invocation;
  const forced = flags.value("force-name") ?? "";
  const prepared: Package[] = [];
  for (const item of await selectedPackages(session, { newest: true })) {
    if (flags.has("prebuilt-only") && !(await isPrebuilt(session, await item.outPath()))) continue;
    const named = forced === "" ? item : item.renamed(forced);
    prepared.push(priority === undefined ? named : named.withMeta("priority", priority));
  }
  return prepared;
}

type UpgradeKind = "lt" | "leq" | "eq" | "always";

async function upgrade(session: EnvironmentSession): Promise<number> {
  const { flags } = session.invocation;
  const kind: UpgradeKind = flags.last("lt", "leq", "eq", "always") ?? "lt";
  await change(session, async () => {
    const installed = await installedIn(session, session.profile);
    const available = await selectedPackages(session, { newest: false });
    const packages: Package[] = [];
    for (const item of installed) packages.push(await upgraded(session, { item, available, kind }));
    await showPlan(session, packages);
    return flags.has("dry-run") ? undefined : packages;
  });
  return 0;
}

/** Returns what an installed package is replaced by, or the package itself. */
async function upgraded(
  session: EnvironmentSession,
  {
    item,
    available,
    kind,
  }: { readonly item: Package; readonly available: readonly Package[]; readonly kind: UpgradeKind },
): Promise<Package> {
  try {
    if (await item.metaFlag("keep")) return item;
    const best = await bestUpgrade(session, { item, available, kind });
    if (best === undefined || (await item.outPath()) === (await best.outPath())) return item;
    const [from, to] = [parseDrvName(item.name).version, parseDrvName(best.name).version];
    tell(session, `${compareVersions(from, to) <= 0 ? "upgrading" : "downgrading"} '${item.name}' to '${best.name}'`);
    return best;
  } catch (error) {
    if (!(error instanceof FirnError)) throw error;
    throw traced(error, `while trying to find an upgrade for '${item.name}'`);
  }
}

/** Returns the available package of the same name with the highest priority, then version, that the kind of upgrade permits. */
async function bestUpgrade(
  session: EnvironmentSession,
  {
    item,
    available,
    kind,
  }: { readonly item: Package; readonly available: readonly Package[]; readonly kind: UpgradeKind },
): Promise<Package | undefined> {
  const { name, version } = parseDrvName(item.name);
  const prebuiltOnly = session.invocation.flags.has("prebuilt-only");
  let best: Package | undefined;
  for (const candidate of available) {
    const other = parseDrvName(candidate.name);
    if ((await comparePriorities(item, candidate)) > 0) continue;
    if (other.name !== name || !permits(kind, compareVersions(version, other.version))) continue;
    if (best !== undefined) {
      const order =
        (await comparePriorities(best, candidate)) || compareVersions(parseDrvName(best.name).version, other.version);
      if (order >= 0) continue;
    }
    if (!prebuiltOnly || (await isPrebuilt(session, await candidate.outPath()))) best = candidate;
  }
  return best;
}

function permits(kind: UpgradeKind, order: number): boolean {
  switch (kind) {
    case "lt":
      return order < 0;
    case "leq":
      return order <= 0;
    case "eq":
      return order === 0;
    case "always":
      return true;
  }
}

async function uninstall(session: EnvironmentSession): Promise<number> {
  const { invocation } = session;
  const { storeDir } = await session.store();
  await change(session, async () => {
    let kept: readonly Package[] = await installedIn(session, session.profile);
    for (const word of invocation.positionals) {
      const chosen = new Set<Package>();
      if (word.includes("/")) {
        const path = storePathOf(session, word, storeDir);
        for (const item of kept) if ((await item.outPath()) === path) chosen.add(item);
      } else {
        const selector = new Selector(word);
        for (const item of kept) if (selector.matches(item.name)) chosen.add(item);
      }
      const [others, removed] = partition(kept, (item) => !chosen.has(item));
      if (removed.length === 0) session.progress.warn(`selector '${word}' matched no installed derivations`);
      for (const { name } of removed) tell(session, `uninstalling '${name}'`);
      kept = others;
    }
    return invocation.flags.has("dry-run") ? undefined : kept;
  });
  return 0;
}

/**
 * Divides items by a predicate. They change places as in the C++ library of the reference, so that what is left has the order, and
 * with it the store path, that it has there.
 */
function partition<Item>(items: readonly Item[], holds: (item: Item) => boolean): [Item[], Item[]] {
  const result = [...items];
  let first = 0;
  let last = result.length;
  for (;;) {
    while (first < last && holds(result[first]!)) first++;
    if (first === last) break;
    last--;
    while (first < last && !holds(result[last]!)) last--;
    if (first === last) break;
    [result[first], result[last]] = [result[last]!, result[first]!];
    first++;
  }
  return [result.slice(0, first), result.slice(first)];
}

async function setFlag(session: EnvironmentSession): Promise<number> {
  const [flag = "", value = "", ...words] = session.invocation.positionals;
  const selectors = words.map((word) => new Selector(word));
  await change(session, async () => {
    const installed = await installedIn(session, session.profile);
    const packages: Package[] = [];
    for (const item of installed) {
      const chosen = selectors.some((selector) => selector.matches(item.name));
      if (chosen) tell(session, `setting flag on '${item.name}'`);
      packages.push(chosen ? item.withMeta(flag, value) : item);
    }
    requireMatches(
      selectors,
      installed.map(({ name }) => name),
    );
    return packages;
  });
  return 0;
}

async function set(session: EnvironmentSession): Promise<number> {
  const [item, ...others] = await selectedPackages(session, { newest: true });
  if (item === undefined || others.length > 0)
    throw new FirnError("bad-profile", "--set requires exactly one derivation");
  await showPlan(session, [item]);
  if (session.invocation.flags.has("dry-run")) return 0;
  await session.builder.build([await derivedPathOf(item)]);
  await setProfile(await session.store(), session.profile, await item.outPath());
  return 0;
}
