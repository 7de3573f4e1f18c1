import { AckStatus } from '@trunkline/protocol';
import { beforeEach, describe, expect, test } from 'vitest';
import type { Answer, Asker } from './asker.ts';
import { answerOf, DONE, NOT_FOUND, TIMED_OUT } from './asker.ts';
import type { Needs } from './questions.ts';
import { Questions } from './questions.ts';

let questions: Questions;
let told: Answer[];
let asker: Asker;

beforeEach(() => {
  questions = new Questions();
  told = [];
  asker = { settle: (answer) => void told.push(answer) };
});

const ask = (needs: Needs, ...edges: string[]): number =>
  questions.ask(edges, needs, asker, 0, 3_000);

describe('a question', () => {
  test('to nobody is settled at once', () => {
    ask('anyFound');
    ask('allDone');
    expect(told).toEqual([NOT_FOUND, DONE]);
    expect(questions.size).toBe(0);
  });

  test('whether anybody has it ends with the first who has, with that answer', () => {
    const number = ask('anyFound', 'a', 'b', 'c');
    questions.answered(number, 'a', NOT_FOUND);
    expect(told).toEqual([]);
    const found = answerOf(AckStatus.Ok, '', Buffer.from('it'));
    questions.answered(number, 'b', found);
    questions.answered(number, 'c', DONE);
    expect(told).toEqual([found]);
  });

  test('whether anybody has it is answered with no when all have said so, each once', () => {
    const number = ask('anyFound', 'a', 'b');
    questions.answered(number, 'a', NOT_FOUND);
    questions.answered(number, 'a', NOT_FOUND);
    questions.answered(number, 'stranger', DONE);
    expect(told).toEqual([]);
    questions.answered(number, 'b', NOT_FOUND);
    expect(told).toEqual([NOT_FOUND]);
  });

  test('any other answer than "not found" is the answer', () => {
    const number = ask('anyFound', 'a', 'b');
    const forbidden = answerOf(AckStatus.Forbidden, 'no');
    questions.answered(number, 'b', forbidden);
    expect(told).toEqual([forbidden]);
  });

  test('to have something done waits for all, whatever they answer', () => {
    const number = ask('allDone', 'a', 'b');
    questions.answered(number, 'a', NOT_FOUND);
    expect(told).toEqual([]);
    questions.answered(number, 'b', DONE);
    expect(told).toEqual([DONE]);
  });

  test('does not wait for an edge that is gone', () => {
    ask('anyFound', 'a');
    ask('allDone', 'a', 'b');
    questions.edgeLost('a');
    expect(told).toEqual([NOT_FOUND]);
    questions.edgeLost('b');
    expect(told).toEqual([NOT_FOUND, DONE]);
  });

  test('is not answered with no where an answer may be lost', () => {
    const number = ask('anyFound', 'a', 'b');
    questions.gap('a');
    questions.gap('a');
    expect(told).toEqual([]);
    questions.answered(number, 'b', NOT_FOUND);
    expect(told).toEqual([TIMED_OUT]);
    const found = ask('anyFound', 'a', 'b');
    questions.gap('a');
    questions.answered(found, 'b', DONE);
    ask('allDone', 'a', 'b');
    questions.gap(undefined);
    expect(told).toEqual([TIMED_OUT, DONE, TIMED_OUT]);
    expect(questions.size).toBe(0);
  });

  test('is answered with no where only what others say, or have said, may be lost', () => {
    const number = ask('anyFound', 'a', 'b');
    questions.gap('c');
    questions.answered(number, 'a', NOT_FOUND);
    questions.gap('a');
    questions.answered(number, 'b', NOT_FOUND);
    expect(told).toEqual([NOT_FOUND]);
  });

  test('ends at its deadline, which moves where this edge itself slept', () => {
    ask('anyFound', 'a');
    questions.expire(2_999, 0);
    questions.expire(13_000, 10_001);
    expect(told).toEqual([]);
    questions.expire(13_001, 0);
    expect(told).toEqual([TIMED_OUT]);
  });

  test('that is asked at the end of that sleep has no more time than others', () => {
    questions.ask(['a'], 'anyFound', asker, 10_000, 3_000);
    questions.expire(10_000, 10_000);
    questions.expire(12_999, 0);
    expect(told).toEqual([]);
    questions.expire(13_000, 0);
    expect(told).toEqual([TIMED_OUT]);
  });

  test('that is withdrawn is answered by nobody', () => {
    const number = ask('anyFound', 'a');
    questions.withdraw(number);
    questions.answered(number, 'a', DONE);
    questions.edgeLost('a');
    questions.expire(10_000, 0);
    expect(told).toEqual([]);
  });
});
