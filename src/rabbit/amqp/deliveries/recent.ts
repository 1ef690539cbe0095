/** How many, and how large a message may be: they stay in memory for up to two seconds. */
const most = 64
const largestBytes = 16 * 1024
const keptMs = 1_000

type Settled = { readonly message: { readonly content: Buffer } }

/** The messages of a channel that were acknowledged last: the broker may not have processed that when the channel is lost. */
export class Recent<Delivery extends Settled> {
  #new: Delivery[] = []
  #old: Delivery[] = []
  #timer: NodeJS.Timeout | undefined

  add(delivery: Delivery): void {
    if (delivery.message.content.length > largestBytes) return
    this.#timer ??= setTimeout(() => this.#age(), keptMs).unref()
    if (this.#new.length === most) {
      this.#old = this.#new
      this.#new = []
    }
    this.#new.push(delivery)
  }

  /** At least the last 64 of them, as far as they are small and at most a second old. */
  all(): Delivery[] {
    return [...this.#old, ...this.#new]
  }

  #age(): void {
    this.#timer = undefined
    this.#old = this.#new
    this.#new = []
    if (this.#old.length > 0) this.#timer = setTimeout(() => this.#age(), keptMs).unref()
  }
}
