import { parseUrl } from '@trunkline/tokens';

import type { Endpoint } from '../endpoints/endpoint.ts';

/** What an edge says of itself and the others of its cluster. */
export interface EdgeReport {
  /** Its own id. */
  readonly edge: string;
  /** How many other edges one can connect to. */
  readonly others: number;
  /** By edge id: the URLs of those that are reached by one of their own, this one among them. */
  readonly urls: ReadonlyMap<string, string>;
  /** The ids of all that it knows to be there; empty where it does not say. */
  readonly members: ReadonlySet<string>;
}

/** An edge's answer to the ping `edges`; undefined for any other ping. */
export function readEdgeReport(entries: readonly string[]): EdgeReport | undefined {
  let edge: string | undefined;
  let others = 0;
  const urls = new Map<string, string>();
  const members = new Set<string>();
  for (let at = 0; at + 1 < entries.length; at += 2) {
    const value = entries[at + 1]!;
    if (entries[at] === 'edges') edge = value;
    else if (entries[at] === 'others') others = Number(value) || 0;
    else if (entries[at] === 'edge') addUrl(urls, value);
    else if (entries[at] === 'member') members.add(value);
  }
  return edge === undefined ? undefined : { edge, others, urls, members };
}

/**
 * Whether more of the other edges take this one for gone than have it in their reports: it is frozen
 * then, or cut off from them, and may hold on to its connections for long. Of two that take each other
 * for gone the one that knows fewer edges has no say.
 */
export function isMissed(report: EdgeReport, reports: readonly EdgeReport[]): boolean {
  const others = new Map(reports.map((other) => [other.edge, other]));
  others.delete(report.edge);
  let votes = 0;
  for (const other of others.values()) {
    if (other.members.has(report.edge)) votes--;
    else if (other.members.size > 0 && !isCutOffFrom(other, report)) votes++;
  }
  return votes > 0;
}

/** What a server connection says of where it leads. */
interface Way {
  /** The hub key. */
  readonly hub: string;
  readonly endpoint: Endpoint;
  readonly edges: EdgeReport | undefined;
}

/**
 * Whether two server connections lead to the same edge for the same hub. Where an edge has not said
 * which one it is, or it is another service, the endpoint counts as one.
 */
export function leadToOneEdge(one: Way, other: Way): boolean {
  const [edge, otherEdge] = [one.edges?.edge, other.edges?.edge];
  if (edge !== undefined && otherEdge !== undefined && edge !== otherEdge) return false;
  return one.hub === other.hub && addressOf(one) === addressOf(other);
}

/** Endpoints of several Server objects may be the same service. */
function addressOf({ endpoint }: Way): string {
  return endpoint.service.address.endpoint;
}

function isCutOffFrom(one: EdgeReport, other: EdgeReport): boolean {
  return !other.members.has(one.edge) && one.members.size < other.members.size;
}

/** `https://edge-1.example.com edge-1` */
function addUrl(urls: Map<string, string>, entry: string): void {
  const space = entry.indexOf(' ');
  const url = entry.slice(0, space);
  if (space > 0 && /^https?:/.test(url) && parseUrl(url) !== undefined)
    urls.set(entry.slice(space + 1), url);
}
