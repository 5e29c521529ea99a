/** `github:`, `gitlab:` and `sourcehut:`: a revision looked up through the forge's API and fetched as an archive. */

import { escapePattern, FirnError } from "@firn/formats";
import { readFileSync } from "@firn/store/files";
import type { FetchContext } from "../context.ts";
import { discardDownload } from "../download.ts";
import { type FetchedTree, type Input, isRevision, requireString, stringAttribute, withAttributes } from "../input.ts";
import { fetchArchive } from "../tarball.ts";
import { percentEncode, printUrl } from "../url.ts";
import { type ForgeType, forgeInputs } from "./forge-input.ts";

interface Forge {
  readonly defaultHost: string;
  /** Returns the header that carries an access token, such as `Authorization`. */
  tokenHeader(token: string): readonly [string, string];
  revisionUrl(place: Place, ref: string): string;
  /** Returns the revision from the response of {@link revisionUrl}. */
  parseRevision(body: string, ref: string): string | undefined;
  archiveUrl(place: Place, rev: string, withToken: boolean): string;
}

interface Place {
  readonly host: string;
  readonly owner: string;
  readonly repo: string;
}

const forges: Readonly<Record<ForgeType, Forge>> = {
  github: {
    defaultHost: "github.com",
    tokenHeader: (token) => ["Authorization", `token ${token}`],
    revisionUrl: (place, ref) => `${githubApi(place)}/repos/${place.owner}/${place.repo}/commits/${ref}`,
    parseRevision: (body) => jsonString(JSON.parse(body), "sha"),
    archiveUrl: (place, rev, withToken) =>
      withToken
        ? `${githubApi(place)}/repos/${place.owner}/${place.repo}/tarball/${rev}`
        : `https://${place.host}/${place.owner}/${place.repo}/archive/${rev}.tar.gz`,
  },
  gitlab: {
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
  sourcehut: {
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
};

/** Looks the revision up and fetches its archive into the store. */
export async function fetchFromForge(type: ForgeType, input: Input, context: FetchContext): Promise<FetchedTree> {
  const forge = forges[type];
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
    shown: printUrl(forgeInputs(type).toUrl(withAttributes(input, { ref: undefined, rev }))),
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
