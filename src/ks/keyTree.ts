/**
 * A logical key hierarchy: a binary tree with the KEK as its root, a key for each member at its leaves, and a key-wrap key
 * at each node between, which the members below it hold. One member is put out by replacing the keys between its leaf and
 * the root and wrapping each new one under what the others below it hold: 2 log n wrapped keys in place of n. RFC 9838
 * section 3.2.2 and appendix A.
 *
 *             KEK                 the member at 12 goes: 2 and 5 are replaced by 15 and 16,
 *          1       2              the message holds 15 under 6 and 16, 16 under 11, the KEK under 1 and 15
 *        3   4   5   6
 *       7 8 9 10 11 12 13 14
 *
 * A newcomer takes a free place and is given all keys from there up, so that nobody ever holds less than its whole path
 * within the tree as it was. Where no place is free the tree grows at the top: what stood below the KEK comes to stand below
 * a new node. The members there do not know the key of that one: it is `stale`, and is handed out by the first message that
 * has a use for it. There is one such node for each doubling; a leaf that is split in two would make one for each member,
 * and the first message that puts somebody out would have to hand out all of them.
 */
import { assert } from "../base/errors.ts";
import type { Secret } from "../base/secret.ts";
import { secret } from "../base/secret.ts";
import type { KeyHierarchy, TreeKey, TreeLink } from "../gikev2/policy.ts";
import type { Tools } from "../ikev2/api.ts";

export interface KeyTree {
  /** Octets of each key. */
  readonly keyOctets: number;
  /** Numbers are never used twice: members know keys by them. */
  nextId: number;
  /** Levels below the KEK: it has room for twice as many members with each. */
  height: number;
  /** Nodes right below the KEK. */
  readonly tops: number[];
  readonly nodes: Map<number, TreeNode>;
}

export interface TreeNode {
  readonly id: number;
  readonly key: Secret;
  /** 0: the KEK. */
  parent: number;
  /** Two at most; none for the leaf of a member. */
  readonly children: number[];
  /** Members below. */
  leaves: number;
  /** Not every member below knows the key. */
  stale: boolean;
}

const DEGREE = 2;

export function createKeyTree(keyOctets: number): KeyTree {
  return { keyOctets, nextId: 1, height: 1, tops: [], nodes: new Map() };
}

/** A leaf for a new member; its number. */
export function addLeaf(tree: KeyTree, tools: Tools): number {
  if (leavesBelow(tree, tree.tops) === roomBelow(tree.height)) growAtTheTop(tree, tools);
  let parent = 0;
  for (let height = tree.height - 1; height > 0; height--) {
    const free = childrenOf(tree, parent).find((id) => nodeOf(tree, id).leaves < roomBelow(height));
    parent = free ?? attach(tree, newNode(tree, tools), parent);
  }
  const leaf = attach(tree, newNode(tree, tools), parent);
  count(tree, leaf, 1);
  return leaf;
}

/** Members that a node has room for, `height` levels above them. */
function roomBelow(height: number): number {
  return DEGREE ** height;
}

/** A new node comes between the KEK and all that stood right below it. */
function growAtTheTop(tree: KeyTree, tools: Tools): void {
  const node = newNode(tree, tools);
  node.leaves = leavesBelow(tree, tree.tops);
  node.stale = true;
  node.children.push(...tree.tops.splice(0, tree.tops.length, node.id));
  for (const id of node.children) nodeOf(tree, id).parent = node.id;
  tree.height += 1;
}

function leavesBelow(tree: KeyTree, ids: readonly number[]): number {
  return ids.reduce((sum, id) => sum + nodeOf(tree, id).leaves, 0);
}

function newNode(tree: KeyTree, tools: Tools): TreeNode {
  const key = secret(tools.rng.bytes(tree.keyOctets));
  const node: TreeNode = { id: tree.nextId, key, parent: 0, children: [], leaves: 0, stale: false };
  tree.nextId += 1;
  tree.nodes.set(node.id, node);
  return node;
}

function attach(tree: KeyTree, node: TreeNode, parent: number): number {
  node.parent = parent;
  childrenOf(tree, parent).push(node.id);
  return node.id;
}

function count(tree: KeyTree, leaf: number, change: number): void {
  for (let id = leaf; id !== 0; id = nodeOf(tree, id).parent) nodeOf(tree, id).leaves += change;
}

/** What a member is given when it registers: all keys from the KEK down to its leaf, each under the one below. */
export function pathOf(tree: KeyTree, leaf: number): KeyHierarchy {
  const path: TreeKey[] = [];
  for (let id = leaf; id !== 0; id = nodeOf(tree, id).parent) path.unshift(keyOf(tree, id));
  const links = path.map((inner, i): TreeLink => (i + 1 < path.length ? { inner, outer: path[i + 1]! } : { inner }));
  return { tops: [path[0]!], links };
}

/**
 * Puts the member of a leaf out. Returns how a new KEK reaches all others; undefined where none are left.
 */
export function excludeLeaf(tree: KeyTree, tools: Tools, leaf: number): KeyHierarchy | undefined {
  const above = ancestors(tree, leaf);
  count(tree, leaf, -1);
  detach(tree, leaf);
  const left = above.filter((id) => nodeOf(tree, id).leaves > 0);
  // Nobody is below the lowest ones any more.
  for (const id of above.slice(left.length).reverse()) detach(tree, id);
  for (const id of left) replaceNode(tree, tools, id);
  if (tree.tops.length === 0) return undefined;
  const links: TreeLink[] = [];
  handOut(tree, tree.tops, links);
  return { tops: tree.tops.map((id) => keyOf(tree, id)), links };
}

/** Nodes between a leaf and the KEK, the uppermost first. */
function ancestors(tree: KeyTree, leaf: number): number[] {
  const above: number[] = [];
  for (let id = nodeOf(tree, leaf).parent; id !== 0; id = nodeOf(tree, id).parent) above.unshift(id);
  return above;
}

function detach(tree: KeyTree, id: number): void {
  const places = childrenOf(tree, nodeOf(tree, id).parent);
  places.splice(places.indexOf(id), 1);
  tree.nodes.delete(id);
}

/** Another key under another number in the same place. */
function replaceNode(tree: KeyTree, tools: Tools, id: number): void {
  const old = nodeOf(tree, id);
  const node = newNode(tree, tools);
  node.parent = old.parent;
  node.leaves = old.leaves;
  node.stale = true;
  node.children.push(...old.children);
  for (const child of node.children) nodeOf(tree, child).parent = node.id;
  const places = childrenOf(tree, node.parent);
  places[places.indexOf(id)] = node.id;
  tree.nodes.delete(id);
}

/** Links for those of `ids` that are stale, and for stale nodes that these links lean on. */
function handOut(tree: KeyTree, ids: readonly number[], links: TreeLink[]): void {
  for (const id of ids) {
    const node = nodeOf(tree, id);
    if (!node.stale) continue;
    node.stale = false;
    const inner = keyOf(tree, id);
    for (const child of node.children) links.push({ inner, outer: keyOf(tree, child) });
    handOut(tree, node.children, links);
  }
}

function keyOf(tree: KeyTree, id: number): TreeKey {
  return { id, key: nodeOf(tree, id).key };
}

function nodeOf(tree: KeyTree, id: number): TreeNode {
  const node = tree.nodes.get(id);
  assert(node !== undefined, `no key ${id} in the tree`);
  return node;
}

function childrenOf(tree: KeyTree, id: number): number[] {
  return id === 0 ? tree.tops : nodeOf(tree, id).children;
}
