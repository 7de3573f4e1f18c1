/**
 * Does the same with each of the items, `atOnce` of them at a time. Rejects with the first failure,
 * and begins with no other item then.
 */
export async function eachOf<Item>(
  items: readonly Item[],
  atOnce: number,
  work: (item: Item) => Promise<unknown>,
): Promise<void> {
  const left = takenFrom(items);
  const worker = async () => {
    for (const item of left) await work(item);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}

/** All workers share it, and a loop that ends early ends a generator for the others, too. */
function* takenFrom<Item>(items: readonly Item[]): Generator<Item> {
  yield* items;
}
