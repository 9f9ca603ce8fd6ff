/** Maps in which several values may share a key, in the order in which they came. Plain data; no key is without values. */
export type MultiMap<K, V> = Map<K, V[]>;

export function addValue<K, V>(map: MultiMap<K, V>, key: K, value: V): void {
  const values = map.get(key);
  if (values === undefined) map.set(key, [value]);
  else values.push(value);
}

/** Nothing happens where the value is not there. */
export function removeValue<K, V>(map: MultiMap<K, V>, key: K, value: V): void {
  const values = map.get(key);
  const index = values?.indexOf(value) ?? -1;
  if (index < 0) return;
  values!.splice(index, 1);
  if (values!.length === 0) map.delete(key);
}
