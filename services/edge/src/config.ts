import { randomBytes } from 'node:crypto';
import { accessSync, constants } from 'node:fs';
import type { SettingsSources } from '@trunkline/settings';
import { KNOWN_VARIABLES, readSettings, SettingsError } from '@trunkline/settings';
import type { LoggerOptions } from '@trunkline/telemetry';
import { AccessKeyError, AccessKeys, DEVELOPMENT_ACCESS_KEY } from '@trunkline/tokens';
import { formatTag } from './model/connection-id.ts';
import { EDGE_OPTIONS } from './options.ts';

/** What an edge is started with: the option table's values, checked together. */
export interface EdgeConfig {
  readonly host: string;
  readonly port: number;
  readonly adminHost: string;
  readonly adminPort: number;
  readonly accessKeys: AccessKeys;
  readonly publicUrl: string | undefined;
  readonly edgeId: string;
  readonly tls: { readonly cert: string; readonly key: string } | undefined;
  readonly allowedOrigins: readonly string[];
  readonly logLevel: LoggerOptions['level'];
  readonly serverWaitMs: number;
  readonly maxMessageBytes: number;
  readonly clientQueueBytes: number;
  /** The access key is the one that everybody knows. */
  readonly keyIsPublic: boolean;
}

export type ConfigSources = Pick<SettingsSources, 'argv' | 'env'>;

/** Throws SettingsError with one line that says what to change. */
export function readConfig(sources: ConfigSources): EdgeConfig {
  const others = KNOWN_VARIABLES;
  const settings = readSettings(EDGE_OPTIONS, { ...sources, others, configFile: true });
  const { tlsCert, tlsKey, accessKeys, edgeId, serverWait, ...rest } = settings;
  return {
    ...rest,
    accessKeys: readKeys(accessKeys),
    keyIsPublic: accessKeys?.includes(DEVELOPMENT_ACCESS_KEY) === true,
    edgeId: edgeId ?? `edge-${formatTag(randomBytes(8))}`,
    tls: readTls(tlsCert, tlsKey),
    serverWaitMs: serverWait * 1000,
  };
}

function readKeys(keys: readonly string[] | undefined): AccessKeys {
  if (keys === undefined) {
    throw new SettingsError(
      'no access keys: set TRUNKLINE_ACCESS_KEYS (or --access-keys), or use --dev on your own machine',
    );
  }
  try {
    return new AccessKeys(keys);
  } catch (error) {
    if (error instanceof AccessKeyError) throw new SettingsError(error.message);
    throw error;
  }
}

function readTls(cert: string | undefined, key: string | undefined): EdgeConfig['tls'] {
  if (cert === undefined && key === undefined) return undefined;
  if (cert === undefined || key === undefined) {
    throw new SettingsError('TLS needs both --tls-cert and --tls-key');
  }
  for (const file of [cert, key]) {
    try {
      accessSync(file, constants.R_OK);
    } catch {
      throw new SettingsError(`cannot read the TLS file ${file}`);
    }
  }
  return { cert, key };
}
