import type { Method, Operation, OperationId, Style } from './operations.ts';
import { OPERATION_IDS, OPERATIONS } from './operations.ts';

/** One method and path of one style: what a request is matched with. */
export interface Route {
  readonly method: Method;
  /** With its parameters in braces. */
  readonly template: string;
  readonly style: Style;
  readonly id: OperationId;
  readonly operation: Operation;
  readonly success: number;
  /** The code of the 404 that says that what is named is not there. */
  readonly absent: string | undefined;
  /** Another path of the operation is the one to use. */
  readonly isAlias: boolean;
}

export interface Match {
  readonly route: Route;
  /** The parameters of the path by their names, still percent-encoded. */
  readonly names: Readonly<Record<string, string>>;
}

const PREFIXES: Readonly<Record<Style, string>> = {
  dated: '/api',
  v1: '/api/v1',
  preview: '/api/v1-preview',
};

export const ROUTES: readonly Route[] = OPERATION_IDS.flatMap((id) => [
  ...routesOf(id, 'dated'),
  ...routesOf(id, 'v1'),
  ...routesOf(id, 'preview'),
]);

function routesOf(id: OperationId, style: Style): Route[] {
  const operation: Operation = OPERATIONS[id];
  const success = operation.success[style];
  if (success === undefined) return [];
  const paths = style === 'preview' ? (operation.previewPaths ?? []) : operation.paths;
  const says = operation.absent?.styles?.includes(style) ?? true;
  const absent = says ? operation.absent?.code : undefined;
  const common = { style, id, operation, success, absent };
  return paths.flatMap((path, at) =>
    operation.methods.map((method) => {
      const template = PREFIXES[style] + path;
      return { ...common, method, template, isAlias: at > 0 };
    }),
  );
}

interface Pattern {
  readonly route: Route;
  readonly segments: readonly string[];
}

/** By the number of segments; of two that match, the first has a literal where the other has a name. */
const PATTERNS = new Map<number, Pattern[]>();
for (const route of ROUTES) {
  const segments = route.template.split('/');
  const others = PATTERNS.get(segments.length) ?? [];
  PATTERNS.set(segments.length, [...others, { route, segments }]);
}
for (const patterns of PATTERNS.values()) {
  patterns.sort((one, other) => rank(one) - rank(other));
}

/** Less where there is a literal, the sooner the less. */
function rank({ segments }: Pattern): number {
  return segments.reduce((sum, segment) => 2 * sum + (isName(segment) ? 1 : 0), 0);
}

/**
 * The route of a request; the methods that its path has where it has not this one; undefined where there
 * is nothing. Paths are split before they are decoded, and literals such as `:send` count as they are
 * written only: an id that is so called comes escaped (REST reference, section 11, trap 16).
 */
export function findRoute(method: string, path: string): Match | readonly Method[] | undefined {
  const segments = path.replace(/\/$/, '').split('/');
  const matching = (PATTERNS.get(segments.length) ?? []).filter((pattern) =>
    pattern.segments.every(
      (one, at) => one === segments[at] || (isName(one) && segments[at] !== ''),
    ),
  );
  if (matching.length === 0) return undefined;
  const found = matching.find(({ route }) => route.method === method);
  if (found === undefined) return [...new Set(matching.map(({ route }) => route.method))];
  return { route: found.route, names: namesOf(found, segments) };
}

function namesOf({ segments }: Pattern, given: readonly string[]): Record<string, string> {
  const names = segments.flatMap((segment, at) =>
    isName(segment) ? [[segment.slice(1, -1), given[at]!] as const] : [],
  );
  return Object.fromEntries(names);
}

function isName(segment: string): boolean {
  return segment.startsWith('{');
}
