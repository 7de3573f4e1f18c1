/** What one edge answers at `/metrics`. */
export interface Scrape {
  readonly edge: string;
  /** In the text format of Prometheus. */
  readonly text: string;
}

/** The lines of one metric. */
interface Family {
  /** `# HELP` and `# TYPE`. */
  readonly head: string[];
  readonly samples: string[];
}

/**
 * The metrics of several edges as one text: each metric once, with the samples of all edges, which a
 * label `edge` tells apart.
 */
export function mergeMetrics(scrapes: readonly Scrape[]): string {
  const families = new Map<string, Family>();
  for (const { edge, text } of scrapes) addScrape(families, text, edgeLabel(edge));
  const lines = [...families.values()].flatMap(({ head, samples }) => [...head, ...samples, '']);
  return lines.join('\n');
}

/** `edge="..."`, as the text format writes it. */
export function edgeLabel(edge: string): string {
  const value = edge.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
  return `edge="${value}"`;
}

/** Samples follow the comments of their metric, as the edge writes them. */
function addScrape(families: Map<string, Family>, text: string, label: string): void {
  let family: Family = { head: [], samples: [] };
  for (const line of text.split('\n')) {
    const [, kind, name] = /^# (HELP|TYPE) (\S+)/.exec(line) ?? [];
    if (name !== undefined) {
      family = families.get(name) ?? { head: [], samples: [] };
      families.set(name, family);
      // What another edge has said of the metric already is not said again.
      if (!family.head.some((said) => said.startsWith(`# ${kind} `))) family.head.push(line);
    } else if (line !== '') family.samples.push(labelled(line, label));
  }
}

/** `name{a="b"} 1` and `name 1`, with one more label in front. */
function labelled(sample: string, label: string): string {
  const nameEnd = sample.search(/[{ ]/);
  const name = sample.slice(0, nameEnd);
  const rest = sample.slice(nameEnd);
  return rest.startsWith('{') ? `${name}{${label},${rest.slice(1)}` : `${name}{${label}}${rest}`;
}
