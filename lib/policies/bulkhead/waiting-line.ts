/** A place in a {@link WaitingLine}. */
export interface Place {
  /** Higher is more important. */
  readonly priority: number;
  /** @internal */ node: Node | undefined;
}

/** A node of a treap: a search tree by turn, and a heap by a random weight, which keeps it shallow. */
class Node {
  left: Node | undefined;
  right: Node | undefined;
  parent: Node | undefined;
  size = 1;

  constructor(
    readonly place: Place,
    readonly weight: number,
  ) {}
}

/**
 * Those who wait, in their turn: the more important first, among equals the earlier. Joining, leaving, the first, the
 * last and how many are ahead cost a logarithm of the length.
 *
 * @see https://faculty.washington.edu/aragon/pubs/rst89.pdf Aragon and Seidel, "Randomized search trees"
 */
export class WaitingLine<P extends Place> {
  #root: Node | undefined;
  #arrivals = 0;

  get size(): number {
    return sizeOf(this.#root);
  }

  /** Whose turn it is. */
  get first(): P | undefined {
    let node = this.#root;
    while (node?.left !== undefined) node = node.left;
    return node?.place as P | undefined;
  }

  /** Who is shed first. */
  get last(): P | undefined {
    let node = this.#root;
    while (node?.right !== undefined) node = node.right;
    return node?.place as P | undefined;
  }

  /** How many a newcomer of this priority would have before it. */
  ahead(priority: number): number {
    let count = 0;
    for (let node = this.#root; node !== undefined;) {
      if (node.place.priority >= priority) {
        count += sizeOf(node.left) + 1;
        node = node.right;
      } else node = node.left;
    }
    return count;
  }

  join(place: P): void {
    const node = new Node(place, scramble(this.#arrivals++));
    place.node = node;
    let parent = this.#root;
    if (parent === undefined) {
      this.#root = node;
      return;
    }
    for (;;) {
      parent.size++;
      const side: 'left' | 'right' = parent.place.priority >= place.priority ? 'right' : 'left';
      const child: Node | undefined = parent[side];
      if (child === undefined) {
        parent[side] = node;
        node.parent = parent;
        break;
      }
      parent = child;
    }
    while (node.parent !== undefined && node.parent.weight < node.weight) this.#lift(node, node.parent);
  }

  leave(place: P): void {
    const { node } = place;
    if (node === undefined) return;
    place.node = undefined;
    for (;;) {
      const { left, right } = node;
      if (left === undefined && right === undefined) break;
      const child = right === undefined || (left !== undefined && left.weight > right.weight) ? left : right;
      this.#lift(child as Node, node);
    }
    const { parent } = node;
    if (parent === undefined) this.#root = undefined;
    else if (parent.left === node) parent.left = undefined;
    else parent.right = undefined;
    for (let above = parent; above !== undefined; above = above.parent) above.size--;
  }

  /** Rotates `node` into the place of its parent; the order stays. */
  #lift(node: Node, parent: Node): void {
    const { parent: above } = parent;
    const [near, far] = parent.left === node ? (['left', 'right'] as const) : (['right', 'left'] as const);
    const inner = node[far];
    parent[near] = inner;
    if (inner !== undefined) inner.parent = parent;
    node[far] = parent;
    parent.parent = node;
    node.parent = above;
    if (above === undefined) this.#root = node;
    else if (above.left === parent) above.left = node;
    else above.right = node;
    node.size = parent.size;
    parent.size = 1 + sizeOf(parent.left) + sizeOf(parent.right);
  }
}

function sizeOf(node: Node | undefined): number {
  return node === undefined ? 0 : node.size;
}

/** Spreads consecutive numbers, so that a line which comes in order does not become a list (murmur3's last steps). */
function scramble(number: number): number {
  let mixed = Math.imul(number ^ (number >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
