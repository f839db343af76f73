// Counts words: strings, maps, arrays, closures and garbage of the AssemblyScript runtime.

class Word {
  constructor(public text: string, public count: i32) {}
}

function next(state: u32): u32 {
  return state * 1664525 + 1013904223;
}

/** A hash of the words that a seed makes, the most frequent first. */
export function answer(seed: u32): u32 {
  const counts = new Map<string, i32>();
  let state = seed;
  for (let i = 0; i < 200; i++) {
    state = next(state);
    const length: u32 = 1 + ((state >> 28) & 1);
    let text = "";
    for (let j: u32 = 0; j < length; j++) {
      state = next(state);
      text += String.fromCharCode(97 + ((state >> 24) % 6));
    }
    counts.set(text, (counts.has(text) ? counts.get(text) : 0) + 1);
  }
  const words = new Array<Word>();
  const keys = counts.keys();
  for (let i = 0; i < keys.length; i++) words.push(new Word(keys[i], counts.get(keys[i])));
  words.sort((a, b) => (a.count != b.count ? b.count - a.count : a.text < b.text ? -1 : 1));
  let hash: u32 = 0x811c9dc5;
  let mean: f64 = 0;
  for (let i = 0; i < words.length; i++) {
    const line = words[i].text + "=" + words[i].count.toString();
    for (let j = 0; j < line.length; j++) hash = (hash ^ line.charCodeAt(j)) * 0x01000193;
    mean += <f64>words[i].count / <f64>words.length;
  }
  return hash ^ <u32>(mean * 1000);
}
