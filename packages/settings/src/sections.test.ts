import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, expectTypeOf, it } from 'vitest';
import {
  defineOptions,
  defineSections,
  information,
  readSettingsWithSections,
  sectionsMarkdown,
  SettingsError,
} from './index.ts';

const table = defineOptions({ port: { kind: 'port', default: 8080, help: 'Listener.' } });
const sections = defineSections({
  rooms: {
    kind: 'named',
    what: 'room',
    names: /^[a-z]+$/,
    namesAre: 'a room: letters',
    help: 'Rooms.',
    of: {
      seats: { kind: 'integer', min: 1, max: 9, default: 4, help: 'Seats.' },
      doorMode: { kind: 'choice', choices: ['open', 'shut'], help: 'Door.' },
      keys: {
        kind: 'items',
        help: 'Keys.',
        of: { code: { kind: 'string', secret: true, help: 'What opens it.' } },
      },
    },
  },
});

const folder = mkdtempSync(join(tmpdir(), 'trunkline-sections-'));

function read(config: unknown) {
  const file = join(folder, 'house.json');
  writeFileSync(file, JSON.stringify(config));
  const argv = ['--config', file];
  return readSettingsWithSections(table, { argv, env: {}, others: [], configFile: true, sections });
}

function refusal(config: unknown): string {
  try {
    read(config);
  } catch (error) {
    if (error instanceof SettingsError) return error.message.replace(`${folder}/`, '');
    throw error;
  }
  throw new Error('the settings were accepted');
}

describe('sections of a config file', () => {
  it('stand beside its options, with defaults, or are not there', () => {
    const { port, rooms } = read({ port: 1, rooms: { hall: { 'door-mode': 'shut' }, attic: {} } });
    expect(port).toBe(1);
    expect(rooms).toEqual(
      new Map([
        ['hall', { seats: 4, doorMode: 'shut', keys: undefined }],
        ['attic', { seats: 4, doorMode: undefined, keys: undefined }],
      ]),
    );
    expect(read({}).rooms).toBeUndefined();
    const none = { argv: [], env: {}, others: [], configFile: true, sections };
    expect(readSettingsWithSections(table, none)).toEqual({ port: 8080, rooms: undefined });
  });

  it('have the types of their table', () => {
    const room = read({ rooms: { hall: { keys: [{}] } } }).rooms!.get('hall')!;
    expectTypeOf(room.seats).toEqualTypeOf<number>();
    expectTypeOf(room.doorMode).toEqualTypeOf<'open' | 'shut' | undefined>();
    expectTypeOf(room.keys![0]!.code).toEqualTypeOf<string | undefined>();
  });

  it('take a secret from a file', () => {
    const path = join(folder, 'code');
    writeFileSync(path, 'sesame\n');
    const { rooms } = read({ rooms: { hall: { keys: [{ code: 'a' }, { codeFile: path }] } } });
    expect(rooms?.get('hall')?.keys).toEqual([{ code: 'a' }, { code: 'sesame' }]);
  });

  it.each<[unknown, string]>([
    [{ rooms: 1 }, 'house.json: rooms must be an object, {...}'],
    [{ rooms: { Hall: {} } }, "house.json: rooms: 'Hall' is not a room: letters"],
    [{ rooms: { hall: [] } }, 'house.json: rooms.hall must be an object, {...}'],
    [
      { rooms: { hall: { seat: 1 } } },
      'house.json: rooms.hall.seat is no setting: rooms.hall takes seats, doorMode, keys',
    ],
    [
      { rooms: { hall: { seats: 10 } } },
      "house.json: rooms.hall.seats: '10' is not an integer from 1 to 9",
    ],
    [
      { rooms: { hall: { seats: true } } },
      'house.json: rooms.hall.seats: the value has the wrong type, give a number',
    ],
    [
      { rooms: { hall: { doorMode: 'open', 'door-mode': 'shut' } } },
      'house.json: rooms.hall.door-mode is given twice: give doorMode once',
    ],
    [{ rooms: { hall: { keys: {} } } }, 'house.json: rooms.hall.keys must be a list, [{...}, ...]'],
    [
      { rooms: { hall: { keys: [{}, { cod: 1 }] } } },
      'house.json: rooms.hall.keys[1].cod is no setting: rooms.hall.keys[1] takes code, codeFile',
    ],
    [
      { rooms: { hall: { keys: [{ codeFile: 7 }] } } },
      'house.json: rooms.hall.keys[0].codeFile must be the path of a file',
    ],
    [{ room: {} }, "house.json: 'room' is not a setting (see --help)"],
  ])('are refused with their place: %j', (config, message) => {
    expect(refusal(config)).toBe(message);
  });

  it('are in the help and in the documentation', () => {
    const program = { name: 'house', version: '1', table, configFile: true, sections };
    const help = information(['--help'], program)!;
    expect(help).toContain('In the config file only:');
    expect(help).toContain('  rooms.<room>.seats <1..9>\n      Seats. Default: 4.');
    expect(help).toContain('  rooms.<room>.keys[].codeFile <text>');
    expect(sectionsMarkdown(sections).split('\n')).toContain(
      '| `rooms.<room>.doorMode` | open\\|shut | none | Door. |',
    );
  });
});
