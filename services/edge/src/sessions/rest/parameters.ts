import { HUB_NAME, HUB_NAME_RULE, queryValue, queryValues } from '@trunkline/protocol';
import type { HttpRequest } from '../../ports/listener.ts';
import { invalid } from './rest-error.ts';

type Query = Pick<HttpRequest, 'query'>;

const MOST_NAME = 1024;
const MOST_STREAM_ID = 100;
/** Of 32 bits, as the service protocol has them. */
const MOST_NUMBER = 0x7fff_ffff;
const API_VERSION = /^\d{4}-\d{2}-\d{2}(?:-preview)?$/;

/** Throws RestError for a version that none can have; one that is missing or not known is served. */
export function checkVersion({ query }: Query): void {
  const version = queryValue(query, 'api-version');
  if (version === undefined || API_VERSION.test(version)) return;
  throw invalid('The api-version has the form 2022-06-01.');
}

/** The hub key of a call, in lower case: `application_hub` where it names an application. */
export function hubOf(names: Readonly<Record<string, string>>, { query }: Query): string {
  const hub = decoded(names['hub']!);
  if (!HUB_NAME.test(hub)) throw invalid(`Invalid hub name: ${HUB_NAME_RULE}.`);
  const application = queryValue(query, 'application');
  if (application === undefined) return hub.toLowerCase();
  if (!HUB_NAME.test(application)) throw invalid("Invalid value of 'application'.");
  return `${application}_${hub}`.toLowerCase();
}

/** An id in the path: of a connection, a user or a stream, or a group's name. */
export function nameOf(names: Readonly<Record<string, string>>, name: string): string {
  const value = decoded(names[name]!);
  checkName(name, value);
  return value;
}

/** A list with commas in the path. */
export function namesOf(names: Readonly<Record<string, string>>, name: string): string[] {
  return decoded(names[name]!)
    .split(',')
    .filter((one) => one !== '');
}

/** Throws RestError for what cannot be one (REST reference, section 1.8). */
export function checkName(what: string, value: string): void {
  const most = what === 'streamId' ? MOST_STREAM_ID : MOST_NAME;
  const mayBeBlank = what === 'user' || what === 'connectionId';
  if (value.length === 0 || value.length > most || (!mayBeBlank && value.trim() === '')) {
    throw invalid(`Invalid ${what}: it has 1 to ${most} characters.`);
  }
}

export function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw invalid('The path is not percent-encoded UTF-8.');
  }
}

/** Ids of connections that are left out. */
export function excluded({ query }: Query): readonly string[] {
  return queryValues(query, 'excluded');
}

/** The value of a query parameter; undefined where it is not there. Names are compared ignoring case. */
export function textOf({ query }: Query, name: string): string | undefined {
  return queryValue(query, name.toLowerCase());
}

/** An integer of `least` to 2^31-1. */
export function numberOf(request: Query, name: string, least: number): number | undefined {
  const text = textOf(request, name);
  if (text === undefined) return undefined;
  const value = /^\d{1,10}$/.test(text) ? Number(text) : -1;
  if (value >= least && value <= MOST_NUMBER) return value;
  throw invalid(`Invalid value of '${name}': it is an integer from ${least} on.`);
}

export function flagOf(request: Query, name: string): boolean {
  const text = textOf(request, name)?.toLowerCase();
  if (text === undefined || text === 'false') return false;
  if (text === 'true') return true;
  throw invalid(`Invalid value of '${name}': it is true or false.`);
}
