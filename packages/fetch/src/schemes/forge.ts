/** `github:`, `gitlab:` and `sourcehut:`: a revision looked up through the forge's API and fetched as an archive. */

import { FirnError } from "@firn/formats";
import { readFileSync } from "@firn/store/files";
import type { FetchContext } from "../context.ts";
import { discardDownload } from "../download.ts";
import {
  checkRef,
  type FetchedTree,
  type Input,
  isRevision,
  requireString,
  type Scheme,
  stringAttribute,
  withAttributes,
} from "../input.ts";
import { fetchArchive } from "../tarball.ts";
import { percentDecode, percentEncode, type Url } from "../url.ts";

interface Forge {
  readonly type: string;
  readonly defaultHost: string;
  /** `Authorization`-like header of an access token. */
  tokenHeader(token: string): readonly [string, string];
  revisionUrl(place: Place, ref: string): string;
  /** The revision in the answer of {@link revisionUrl}. */
  parseRevision(body: string, ref: string): string | undefined;
  archiveUrl(place: Place, rev: string, withToken: boolean): string;
}

interface Place {
  readonly host: string;
  readonly owner: string;
  readonly repo: string;
}

const forges: readonly Forge[] = [
  {
    type: "github",
    defaultHost: "github.com",
    tokenHeader: (token) => ["Authorization", `token ${token}`],
    revisionUrl: (place, ref) => `${githubApi(place)}/repos/${place.owner}/${place.repo}/commits/${ref}`,
    parseRevision: (body) => jsonString(JSON.parse(body), "sha"),
    archiveUrl: (place, rev, withToken) =>
      withToken
        ? `${githubApi(place)}/repos/${place.owner}/${place.repo}/tarball/${rev}`
        : `https://${place.host}/${place.owner}/${place.repo}/archive/${rev}.tar.gz`,
  },
  {
    type: "gitlab",
    defaultHost: "gitlab.com",
    tokenHeader: (token) =>
      token.startsWith("PAT:")
        ? ["Private-token", token.slice(4)]
        : ["Authorization", `Bearer ${token.replace(/^OAuth2:/, "")}`],
    revisionUrl: (place, ref) =>
      `https://${place.host}/api/v4/projects/${gitlabProject(place)}/repository/commits?ref_name=${percentEncode(ref, "")}`,
    parseRevision(body) {
      const answer: unknown = JSON.parse(body);
      return Array.isArray(answer) ? jsonString(answer[0], "id") : undefined;
    },
    archiveUrl: (place, rev) =>
      `https://${place.host}/api/v4/projects/${gitlabProject(place)}/repository/archive.tar.gz?sha=${rev}`,
  },
  {
    type: "sourcehut",
    defaultHost: "git.sr.ht",
    tokenHeader: (token) => ["Authorization", `Bearer ${token}`],
    revisionUrl: (place) => `https://${place.host}/${place.owner}/${place.repo}/info/refs`,
    parseRevision(body, ref) {
      const wanted =
        ref === "HEAD"
          ? /\trefs\/heads\/(?:master|main)$/
          : new RegExp(`\\trefs/(?:heads|tags)/${escapePattern(ref)}$`);
      return body
        .split("\n")
        .find((line) => wanted.test(line))
        ?.split("\t")[0];
    },
    archiveUrl: (place, rev) => `https://${place.host}/${place.owner}/${place.repo}/archive/${rev}.tar.gz`,
  },
];

/** The schemes of the three forges. */
export const forgeSchemes: readonly Scheme[] = forges.map(makeScheme);

const ownerCharacters = "!$&'()*+,;=:@";

function makeScheme(forge: Forge): Scheme {
  const scheme: Scheme = {
    type: forge.type,
    attributes: ["owner", "repo", "ref", "rev", "narHash", "lastModified", "host", "treeHash"],

    fromUrl(url) {
      if (url.scheme !== forge.type) return undefined;
      const shown = `${forge.type}:${url.path}`;
      const segments =
        url.encodedPath === undefined ? url.path.split("/") : url.encodedPath.split("/").map(percentDecode);
      const [owner = "", repo = "", ...rest] = segments;
      if (owner === "" || repo === "") throw new FirnError("bad-forge-url", `URL '${shown}' is invalid`);
      const input = new Map<string, string>([
        ["type", forge.type],
        ["owner", owner],
        ["repo", repo],
      ]);
      const refOrRev = rest.join("/");
      if (refOrRev !== "") setRefOrRev(input, refOrRev);
      for (const [name, value] of url.query) {
        if (name === "rev" || name === "ref") {
          if (input.has("rev") || input.has("ref")) {
            throw new FirnError("bad-forge-url", `URL '${shown}' contains multiple commit hashes or branch/tag names`);
          }
          if (name === "rev" && !isRevision(value))
            throw new FirnError("bad-forge-url", `URL '${shown}' has the invalid commit hash '${value}'`);
          if (name === "ref") checkRef(value);
          input.set(name, value);
        } else if (name === "host" || name === "narHash") {
          if (name === "host" && !/^[a-zA-Z0-9.:-]+$/.test(value)) {
            throw new FirnError("bad-forge-url", `URL '${shown}' contains an invalid instance host`);
          }
          input.set(name, value);
        }
      }
      return input;
    },

    check(input) {
      requireString(input, "owner");
      requireString(input, "repo");
      const rev = stringAttribute(input, "rev");
      const ref = stringAttribute(input, "ref");
      if (ref !== undefined) checkRef(ref);
      if (rev !== undefined && !isRevision(rev)) throw new FirnError("bad-input", `'${rev}' is not a commit hash`);
      if (ref !== undefined && rev !== undefined) {
        throw new FirnError(
          "bad-input",
          `input '${forge.type}:${requireString(input, "owner")}/${requireString(input, "repo")}' contains both a commit hash ('${rev}') and a branch/tag name ('${ref}')`,
        );
      }
    },

    toUrl(input): Url {
      const end = stringAttribute(input, "ref") ?? stringAttribute(input, "rev");
      const parts = [requireString(input, "owner"), requireString(input, "repo"), ...(end === undefined ? [] : [end])];
      const path = parts.join("/");
      const nested = parts.slice(0, 2).some((part) => part.includes("/"));
      const encodedPath = parts
        .map((part, index) => percentEncode(part, index < 2 ? ownerCharacters : `${ownerCharacters}/`))
        .join("/");
      const query = new Map<string, string>();
      for (const name of ["host", "narHash"]) {
        const value = stringAttribute(input, name);
        if (value !== undefined) query.set(name, value);
      }
      const shown = nested ? { path, encodedPath } : { path };
      return { scheme: forge.type, authority: undefined, ...shown, query, fragment: "" };
    },

    isLocked: (input) => input.has("rev") && input.has("narHash"),

    fetch: (input, context) => fetchFromForge(forge, input, context),
  };
  return scheme;
}

function setRefOrRev(input: Map<string, string>, text: string): void {
  if (isRevision(text)) {
    input.set("rev", text);
    return;
  }
  checkRef(text);
  input.set("ref", text);
}

async function fetchFromForge(forge: Forge, input: Input, context: FetchContext): Promise<FetchedTree> {
  const place: Place = {
    host: stringAttribute(input, "host") ?? forge.defaultHost,
    owner: requireString(input, "owner"),
    repo: requireString(input, "repo"),
  };
  const token =
    context.accessTokens.get(`${place.host}/${place.owner}/${place.repo}`) ??
    context.accessTokens.get(`${place.host}/${place.owner}`) ??
    context.accessTokens.get(place.host);
  const headers = token === undefined ? {} : Object.fromEntries([forge.tokenHeader(token)]);
  let rev = stringAttribute(input, "rev");
  if (rev === undefined) {
    const ref = stringAttribute(input, "ref") ?? "HEAD";
    const url = forge.revisionUrl(place, ref);
    const body = await readBody(context, url, headers);
    rev = forge.parseRevision(body, ref);
    if (rev === undefined || !isRevision(rev)) {
      throw new FirnError("fetch-failed", `the answer of '${url}' names no revision for '${ref}'`);
    }
  }
  const archive = await fetchArchive(context, {
    url: forge.archiveUrl(place, rev, token !== undefined),
    headers,
    immutable: true,
  });
  return {
    storePath: archive.storePath,
    locked: withAttributes(input, {
      ref: undefined,
      rev,
      narHash: archive.narHash,
      lastModified: BigInt(archive.lastModified),
    }),
  };
}

async function readBody(context: FetchContext, url: string, headers: Record<string, string>): Promise<string> {
  const key = { url };
  const hit = context.cache.lookup("forge-revision", key, context.tarballTtl);
  if (hit !== undefined && !hit.expired) return String(hit.value.body);
  const { file } = await context.download({ url, headers });
  if (file === undefined) throw new FirnError("fetch-failed", `unable to download '${url}': no body`);
  const body = readFileSync(file, "latin1");
  discardDownload(file);
  context.cache.insert("forge-revision", key, { body });
  return body;
}

function githubApi(place: Place): string {
  return place.host === "github.com" ? `https://api.${place.host}` : `https://${place.host}/api/v3`;
}

function gitlabProject(place: Place): string {
  return `${percentEncode(place.owner, "%")}%2F${percentEncode(place.repo, "%")}`;
}

function jsonString(value: unknown, name: string): string | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const member = (value as Record<string, unknown>)[name];
  return typeof member === "string" ? member : undefined;
}

function escapePattern(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}
