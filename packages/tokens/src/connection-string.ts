import { parseUrl } from './parse-url.ts';
/** What a connection string says, checked (service protocol reference, section 1). */
export interface ConnectionString {
  /** `Endpoint` with `Port` applied, no trailing slash. */
  readonly endpoint: string;
  /** Where clients are sent, ends in `/`: `ClientEndpoint`, else `endpoint`. */
  readonly clientEndpoint: string;
  /** Where server connections and REST calls go, ends in `/`: `ServerEndpoint`, else `endpoint`. */
  readonly serverEndpoint: string;
  /** Raw text; its UTF-8 bytes are the key. */
  readonly accessKey: string;
  /** `scheme://host/` of `Endpoint`, no port and no path: what every `aud` starts with. */
  readonly audienceBase: string;
  readonly version?: string;
}

/** A connection string that cannot be used. The message is one line and never holds the key. */
export class ConnectionStringError extends Error {
  override readonly name = 'ConnectionStringError';

  constructor(message: string) {
    super(`connection string: ${message}`);
  }
}

const IDENTITY_TYPES = new Set(['aad', 'azure', 'azure.app', 'azure.msi']);
const VERSION = /^1\.\d+(?:[\w\-.]+)?$/;

/**
 * Reads `Endpoint=http://host;Port=8080;AccessKey=...;Version=1.0;`. Keys ignore case; unknown keys
 * and pieces without `=` are ignored. Unlike the .NET SDK, which concatenates, an endpoint with a
 * path prefix works with and without its trailing slash.
 * @throws ConnectionStringError
 */
export function parseConnectionString(text: string): ConnectionString {
  const fields = readFields(text);
  const url = endpointUrl('Endpoint', required(fields, 'Endpoint'));
  const audienceBase = `${url.protocol}//${url.hostname}/`;
  const port = fields.get('port');
  if (port !== undefined) url.port = checkedPort(port);
  const version = fields.get('version');
  if (version !== undefined && !VERSION.test(version)) {
    throw new ConnectionStringError(`Version '${version}' is not supported; use 1.0`);
  }
  const authType = fields.get('authtype')?.toLowerCase();
  if (authType !== undefined && IDENTITY_TYPES.has(authType)) {
    throw new ConnectionStringError(`AuthType ${authType} is not supported; use an AccessKey`);
  }
  const base = baseOf(url);
  return {
    endpoint: base.slice(0, -1),
    clientEndpoint: otherEndpoint(fields, 'ClientEndpoint') ?? base,
    serverEndpoint: otherEndpoint(fields, 'ServerEndpoint') ?? base,
    accessKey: required(fields, 'AccessKey'),
    audienceBase,
    ...(version === undefined ? {} : { version }),
  };
}

/**
 * The connection string of an endpoint, in the shape the Azure emulator prints.
 * @throws ConnectionStringError when the endpoint is not an http(s) URL, or when the key could not be
 * read back: it is empty, holds `;`, or starts or ends with white space
 */
export function formatConnectionString(endpoint: string, accessKey: string): string {
  const url = endpointUrl('Endpoint', endpoint);
  if (accessKey === '' || accessKey.includes(';') || accessKey.trim() !== accessKey) {
    throw new ConnectionStringError('an AccessKey is not empty, has no ; and no space around it');
  }
  const port = url.port === '' ? '' : `Port=${url.port};`;
  url.port = '';
  return `Endpoint=${baseOf(url).slice(0, -1)};${port}AccessKey=${accessKey};Version=1.0;`;
}

function readFields(text: string): Map<string, string> {
  const fields = new Map<string, string>();
  for (const piece of text.split(';')) {
    const at = piece.indexOf('=');
    if (at < 0) continue;
    const key = piece.slice(0, at).trim();
    const name = key.toLowerCase();
    if (fields.has(name)) throw new ConnectionStringError(`${key} is given twice`);
    fields.set(name, piece.slice(at + 1).trim());
  }
  return fields;
}

function required(fields: Map<string, string>, key: string): string {
  const value = fields.get(key.toLowerCase());
  if (value === undefined || value === '') {
    throw new ConnectionStringError(
      `${key} is missing; write Endpoint=http://host;Port=8080;AccessKey=key;Version=1.0;`,
    );
  }
  return value;
}

function otherEndpoint(fields: Map<string, string>, key: string): string | undefined {
  const value = fields.get(key.toLowerCase());
  return value === undefined ? undefined : baseOf(endpointUrl(key, value));
}

function endpointUrl(key: string, text: string): URL {
  const url = parseUrl(text);
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    throw new ConnectionStringError(`${key} is not an absolute http or https URL`);
  }
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '') {
    throw new ConnectionStringError(`${key} must be scheme, host, port and path only`);
  }
  return url;
}

function checkedPort(text: string): string {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port < 1 || port > 65535) {
    throw new ConnectionStringError(`Port '${text}' is not an integer from 1 to 65535`);
  }
  return text;
}

function baseOf(url: URL): string {
  const path = url.pathname.endsWith('/') ? url.pathname : `${url.pathname}/`;
  return url.origin + path;
}
