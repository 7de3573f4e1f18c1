import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';

export const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** What the tests look at in a service of the compose file; values are still to be interpolated. */
export interface ComposeService {
  readonly image?: string;
  readonly build?: {
    readonly context: string;
    readonly dockerfile: string;
    readonly target: string;
  };
  readonly environment?: Readonly<Record<string, string>>;
  readonly ports?: readonly string[];
  readonly networks?: { readonly default: { readonly ipv4_address: string } };
  readonly volumes?: readonly string[];
  readonly secrets?: readonly string[];
  readonly tmpfs?: readonly string[];
  readonly read_only?: boolean;
  readonly cap_drop?: readonly string[];
  readonly security_opt?: readonly string[];
  readonly mem_limit?: string;
  readonly pids_limit?: number;
  readonly cpus?: number;
  readonly healthcheck?: unknown;
  readonly restart?: string;
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
}

export interface ComposeFile {
  readonly services: Readonly<Record<string, ComposeService>>;
  readonly volumes: Readonly<Record<string, unknown>>;
  readonly secrets: Readonly<Record<string, { readonly file: string }>>;
}

export function readText(path: string): string {
  return readFileSync(new URL(path, `file://${ROOT}`), 'utf8');
}

export function readYaml(path: string): unknown {
  return parse(readText(path), { merge: true });
}

export function readCompose(): ComposeFile {
  return readYaml('docker-compose.yml') as ComposeFile;
}

/** The services of the compose file that run an image of ours, by name. */
export function builtServices(): [name: string, service: ComposeService][] {
  return Object.entries(readCompose().services).filter(([, { build }]) => build !== undefined);
}

export interface Instruction {
  readonly name: string;
  readonly text: string;
}

/** The instructions of each stage of the Dockerfile, by the stage's name. */
export function readStages(): Map<string, Instruction[]> {
  const stages = new Map<string, Instruction[]>();
  const lines = readText('deploy/docker/Dockerfile')
    .replace(/^#.*\n/gm, '')
    .replace(/\\\n\s*/g, '');
  let current: Instruction[] = [];
  for (const line of lines.split('\n').filter((line) => line !== '')) {
    const [name = '', ...words] = line.split(' ');
    const text = words.join(' ');
    if (name === 'FROM') stages.set(text.replace(/.* AS /, ''), (current = []));
    current.push({ name, text });
  }
  return stages;
}

/** The words of an instruction in exec form, such as CMD, or of the CMD of a HEALTHCHECK. */
export function execForm(stage: readonly Instruction[], name: string): string[] {
  const text = stage.find((instruction) => instruction.name === name)?.text ?? '';
  return JSON.parse(text.slice(text.indexOf('['))) as string[];
}

/**
 * Compose's `${NAME}`, `${NAME:-default}` and `${NAME:?message}`, defaults within defaults included.
 * Throws the message of a required variable that is not set.
 */
export function interpolate(text: string, env: Readonly<Record<string, string>>): string {
  const innermost = /\$\{(\w+)(?::([-?])([^{}]*))?\}/;
  for (let match = innermost.exec(text); match !== null; match = innermost.exec(text)) {
    const [whole, name = '', operator, operand = ''] = match;
    const value = env[name] || (operator === '-' ? operand : '');
    if (value === '' && operator === '?') throw new Error(operand);
    text = text.replace(whole, () => value);
  }
  return text;
}
