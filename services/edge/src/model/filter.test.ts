import { describe, expect, test } from 'vitest';
import { FilterError, parseFilter } from './filter.ts';

const ann = {
  connectionId: 'c1',
  userId: "listener-o'brien",
  isIn: (group: string) => group === 'g',
};
const nobody = { connectionId: 'c2', userId: undefined, isIn: () => false };

describe('a filter', () => {
  test.each<[string, boolean, boolean]>([
    ['', true, true],
    ["startswith(userId, 'listener-')", true, false],
    ["userId eq 'listener-o''brien'", true, false],
    ['userId eq null', false, true],
    ['userId ne null', true, false],
    ["'g' in groups", true, false],
    ["not ('g' in groups)", false, true],
    ["not not 'g' in groups", true, false],
    ["connectionId in ('c2', 'c3')", false, true],
    ["connectionId eq 'c1' or connectionId eq 'c2' and userId ne null", true, false],
    ["(connectionId eq 'c1' or connectionId eq 'c2') and userId eq null", false, true],
    ["connectionId gt 'c1'", false, true],
    ["connectionId ge 'c1' and connectionId le 'c1'", true, false],
    ["userId lt 'z'", true, false],
    ['length(userId) eq 16', true, false],
    ["indexof(userId, 'o') eq 9", true, false],
    ["endswith(toupper(userId), 'BRIEN') and contains(tolower(userId), 'o')", true, false],
    ["substring(connectionId, 1) eq '2'", false, true],
    ["substring(connectionId, 0, 1) eq 'c'", true, true],
    ["concat(trim('  a '), connectionId) eq 'ac1'", true, false],
    ['true', true, true],
    ['false', false, false],
    ['true  ', true, true],
    ["connectionId lt 'c1'", false, false],
    // Nothing is more or less than nothing, nor a text than a number, as JavaScript has it.
    ['null ge null', false, false],
    ['null le null', false, false],
    ['userId ge 0', false, false],
    ['-1 lt userId', false, false],
    ["'1' lt 5", false, false],
    ["'5' gt 1", false, false],
    ['false or not false', true, true],
    ['length(connectionId) gt 1.5', true, true],
    ['-1 lt length(connectionId)', true, true],
  ])('%s', (text, ofAnn, ofNobody) => {
    const filter = parseFilter(text);
    expect([filter(ann), filter(nobody)]).toEqual([ofAnn, ofNobody]);
  });

  test('looks for groups by their names alone', () => {
    const everywhere = { ...ann, isIn: () => true };
    expect(parseFilter("'5' in groups")(everywhere)).toBe(true);
    for (const text of ['5 in groups', 'true in groups', 'null in groups']) {
      expect(parseFilter(text)(everywhere)).toBe(false);
    }
  });

  test('looks once at what it seeks in a list, however many lists are within each other', () => {
    let looks = 0;
    const subject = {
      ...nobody,
      get connectionId() {
        looks++;
        return 'c2';
      },
    };
    const deep = `${'('.repeat(10)}connectionId${" in ('a', true, 'c2'))".repeat(10)}`;
    expect(parseFilter(deep)(subject)).toBe(true);
    expect(looks).toBe(1);
  });

  test.each([
    ['userid eq 1', "Invalid filter at 'userid'."],
    ["userId = 'a'", 'Invalid filter at character 7.'],
    ["userId eq 'a", 'Invalid filter at character 10.'],
    ['userId eq', 'The filter ends too early.'],
    ["concat('a', 'b', 'c') eq 'abc'", 'concat has 2 arguments, not 3.'],
    ['userId eq 1 1', "Invalid filter at '1'."],
    ['startswith(userId)', 'startswith has 2 arguments, not 1.'],
    ['length', "Invalid filter at 'length'."],
    ["'g' in users", "Invalid filter at 'users'."],
    [')', "Invalid filter at ')'."],
    ['groups', "Invalid filter at 'groups'."],
    [`${'('.repeat(60)}true${')'.repeat(60)}`, 'The filter nests too deeply.'],
    ['true or '.repeat(600) + 'true', 'The filter is too long.'],
  ])('%s is none', (text, message) => {
    expect(() => parseFilter(text)).toThrow(new FilterError(message));
  });
});
