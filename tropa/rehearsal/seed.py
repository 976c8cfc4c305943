"""The seed of `workflow.random()`, so that a rehearsed walk draws what the same run would draw on a server."""

MASK = (1 << 64) - 1


def seed_of(run: str) -> int:
    """Core's seed for a run id: Rust's DefaultHasher, which is SipHash-1-3 with zero keys, over the id as a str."""
    data = run.encode() + b"\xff"
    whole = len(data) // 8 * 8
    words = [int.from_bytes(data[at : at + 8], "little") for at in range(0, whole, 8)]
    words.append(int.from_bytes(data[whole:], "little") | (len(data) & 0xFF) << 56)
    state = (0x736F6D6570736575, 0x646F72616E646F6D, 0x6C7967656E657261, 0x7465646279746573)
    for word in words:
        v0, v1, v2, v3 = _round(*state[:3], state[3] ^ word)
        state = (v0 ^ word, v1, v2, v3)
    state = (state[0], state[1], state[2] ^ 0xFF, state[3])
    for _ in range(3):
        state = _round(*state)
    return state[0] ^ state[1] ^ state[2] ^ state[3]


def _round(v0: int, v1: int, v2: int, v3: int) -> tuple[int, int, int, int]:
    v0 = (v0 + v1) & MASK
    v1 = _turned(v1, 13) ^ v0
    v0 = _turned(v0, 32)
    v2 = (v2 + v3) & MASK
    v3 = _turned(v3, 16) ^ v2
    v0 = (v0 + v3) & MASK
    v3 = _turned(v3, 21) ^ v0
    v2 = (v2 + v1) & MASK
    v1 = _turned(v1, 17) ^ v2
    return v0, v1, _turned(v2, 32), v3


def _turned(value: int, by: int) -> int:
    return ((value << by) | (value >> (64 - by))) & MASK
