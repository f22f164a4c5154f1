"""Planning SRAM on a microcontroller: buffers, row and patch tiles with halo, a static arena, the fit.

    tile:   n_in = (n_out - 1) s + k per axis, layer by layer backwards; the halo is what tiles share
    arena:  largest tensor first, into the smallest hole among tensors that are alive together

Tiles are clipped at the border of each map: padding is made up, not computed. Counts are elements.
Source: Lin et al., MCUNet, arXiv 2007.10319 (in-place depthwise); MCUNetV2, arXiv 2110.15352, section 3
(patches); Pisarchyk and Lee, arXiv 2001.03288 (greedy by size for offset calculation).
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

from tinylib.cost import layers as L
from tinylib.cost import memory
from tinylib.cost.devices import Device
from tinylib.cost.models import Model
from tinylib.units import shown

Span = tuple[int, int]  # first index and the one after the last, along one axis


def _window(layer: object) -> L._Window:
    if not isinstance(layer, L._Window) or layer.axes != 2:
        raise TypeError(f"layer must be a 2-D convolution or pooling with a window, got {shown(layer)}")
    return layer


def inplace_depthwise_elements(layer: L.DepthwiseConv2D, in_shape: L.Shape) -> int:
    """Peak when each output channel overwrites its input channel [elements]: the map and one spare channel.

    Channels do not mix, so a finished channel may go where its input was; one output channel is buffered.
    """
    if not isinstance(layer, L.DepthwiseConv2D) or layer.multiplier != 1:
        raise ValueError(
            f"layer must be depthwise with multiplier 1: channels may not mix, got {shown(layer)}"
        )
    *sizes, _ = layer.out_shape(in_shape)
    spare = math.prod(sizes)
    if spare > math.prod(in_shape[:2]):
        raise ValueError(f"output must not outgrow the input it overwrites, got {sizes} from {in_shape}")
    return math.prod(in_shape) + spare


def im2col_elements(layer: L.Layer, in_shape: L.Shape) -> int:
    """Values of the unrolled input matrix [elements]: output positions x k_h k_w c_in."""
    *sizes, _ = _window(layer).out_shape(in_shape)
    return math.prod(sizes) * math.prod(layer.kernel_size) * in_shape[-1]


def row_tile_elements(layer: L.Layer, in_shape: L.Shape, out_rows: int = 1) -> int:
    """Input rows held for `out_rows` output rows [elements]: ((r - 1) s + k) w c, at most the whole map."""
    rows, _, _ = _window(layer).out_shape(in_shape)
    if L.count("out_rows", out_rows) > rows:
        raise ValueError(f"out_rows must be at most the {rows} rows of the output, got {out_rows}")
    needed = (out_rows - 1) * layer.stride[0] + layer.reach[0]
    return min(needed, in_shape[0]) * math.prod(in_shape[1:])


# Patches


def needed_side(layers: Iterable[L.Layer], out_side: int, axis: int = 0) -> int:
    """Side of the input that `out_side` outputs of the stack read [px], away from the borders."""
    side = L.count("out_side", out_side)
    for layer in reversed([_window(layer) for layer in layers]):
        side = (side - 1) * layer.stride[axis] + layer.reach[axis]
    return side


def input_span(layer: L.Layer, size: int, out: Span, axis: int = 0) -> Span:
    """Indices of an input of `size` that the outputs `out` of one layer read, clipped at the borders."""
    k, s = layer.reach[axis], layer.stride[axis]
    if layer.padding == "same":
        before = max((-(-size // s) - 1) * s + k - size, 0) // 2  # the odd zero goes to the end
    else:
        before = 0 if layer.padding == "valid" else layer.padding[axis]
    clip = [min(max(i, 0), size) for i in (out[0] * s - before, (out[1] - 1) * s - before + k)]
    return clip[0], max(clip)  # an output made of padding alone reads nothing


@dataclass(frozen=True)
class PatchPlan:
    """A stage computed patch by patch, against the same stage computed layer by layer.

    tiles: per patch, (height, width) of the input and of every layer's output
    peak_elements: the assembled output and the largest pair of tiles beside it   [elements]
    whole_elements: largest input plus output of one layer without patches        [elements]
    macs, whole_macs: work with and without patches                               [MAC]
    """

    tiles: tuple[tuple[tuple[int, int], ...], ...]
    peak_elements: int
    whole_elements: int
    macs: int
    whole_macs: int

    @property
    def recomputed_macs(self) -> int:
        """Work done more than once because tiles overlap [MAC]; below 0 where a stride skips outputs."""
        return self.macs - self.whole_macs

    @property
    def overhead(self) -> float:
        """Recomputed work as a share of the work without patches [ratio]."""
        return self.recomputed_macs / self.whole_macs if self.whole_macs else 0.0

    def peak_bytes(self, bits: int = 8) -> int:
        """SRAM of the stage at `bits` per element [bytes]."""
        return memory.weight_bytes(self.peak_elements, bits)


def _spans(stack: list[L.Layer], sizes: list[int], patches: int, axis: int) -> list[list[Span]]:
    """Per patch along one axis: the span of the input and of each layer's output."""
    last, found = sizes[-1], []
    for i in range(patches):
        spans = [(i * last // patches, (i + 1) * last // patches)]
        for layer, size in zip(reversed(stack), reversed(sizes[:-1])):
            spans.append(input_span(layer, size, spans[-1], axis))
        found.append(spans[::-1])
    return found


def plan_patches(
    layers: Iterable[L.Layer], in_shape: L.Shape, patches: int, hold_input: bool = False
) -> PatchPlan:
    """Compute a stack of windows in patches x patches tiles of its output, each with its halo.

    The output is assembled in SRAM. The input comes tile by tile (camera, flash) unless `hold_input`.
    """
    stack = [_window(layer) for layer in layers]
    if not stack:
        raise ValueError("layers must hold at least one window, got none")
    shapes = [L.shape("in_shape", in_shape, 3)]
    for layer in stack:
        shapes.append(layer.out_shape(shapes[-1]))
    if L.count("patches", patches) > min(shapes[-1][:2]):
        raise ValueError(f"patches must be at most the output side: a tile needs a pixel, got {patches}")
    rows, columns = (_spans(stack, [s[a] for s in shapes], patches, a) for a in (0, 1))
    tiles = [tuple((b - a, d - c) for (a, b), (c, d) in zip(r, q)) for r in rows for q in columns]
    sizes = [[h * w * s[-1] for (h, w), s in zip(tile, shapes)] for tile in tiles]
    held = math.prod(shapes[-1]) + hold_input * math.prod(shapes[0])
    for one in sizes:
        one[-1], one[0] = 0, 0 if hold_input else one[0]  # these lie in the maps already held
    return PatchPlan(
        tuple(tiles),
        held + max(a + b for one in sizes for a, b in pairwise(one)),
        max(math.prod(a) + math.prod(b) for a, b in pairwise(shapes)),
        sum(h * w * layer.weights for tile in tiles for (h, w), layer in zip(tile[1:], stack)),
        sum(layer.macs(shape) for layer, shape in zip(stack, shapes)),
    )


# Arena


@dataclass(frozen=True)
class Slot:
    """Where a tensor lies: bytes offset .. offset + size, from step `first` to step `last`, both included."""

    name: str
    size: int
    first: int
    last: int
    offset: int = 0

    def meets(self, other: "Slot") -> bool:
        """Whether the two are alive at one step."""
        return self.first <= other.last and other.first <= self.last


@dataclass(frozen=True)
class Arena:
    """A static plan of all activations: slots in the order of `memory.timeline`.

    arena_bytes: size of the buffer;  lower_bound_bytes: largest live set, which no plan undercuts [bytes]
    """

    slots: tuple[Slot, ...]
    arena_bytes: int
    lower_bound_bytes: int


def _best_offset(slot: Slot, placed: list[Slot]) -> int:
    """Start of the smallest hole that holds the slot; behind everything alive with it if there is none."""
    end, best, best_hole = 0, None, math.inf
    for other in sorted((p for p in placed if p.meets(slot)), key=lambda p: p.offset):
        if slot.size <= other.offset - end < best_hole:
            best, best_hole = end, other.offset - end
        end = max(end, other.offset + other.size)
    return end if best is None else best


def plan_arena(model: Model, bits: int = 8, align: int = 1) -> Arena:
    """Offsets for all activations of a model, greedy by size with best fit.

    Every tensor starts at a multiple of `align` bytes and is rounded up to it.
    """
    L.count("align", align)
    steps, slots = memory.timeline(model), {}
    for i, step in enumerate(steps):
        for name, elements in step.live:
            size = -(-memory.weight_bytes(elements, bits) // align) * align
            first = slots[name].first if name in slots else i
            slots[name] = Slot(name, size, first, i)
    placed: list[Slot] = []
    for slot in sorted(slots.values(), key=lambda slot: (-slot.size, slot.first)):
        offset = _best_offset(slot, placed)
        placed.append(Slot(slot.name, slot.size, slot.first, slot.last, offset))
    by_name = {slot.name: slot for slot in placed}
    lower = max(sum(slots[name].size for name, _ in step.live) for step in steps)
    total = max(slot.offset + slot.size for slot in placed)
    return Arena(tuple(by_name[name] for name in slots), total, lower)


# Fit


@dataclass(frozen=True)
class Fit:
    """What a model needs of a device and what is left; negative is missing [bytes]."""

    device: Device
    flash_needed_bytes: int
    sram_needed_bytes: int

    @property
    def flash_left_bytes(self) -> int:
        """Flash that remains [bytes]."""
        return self.device.flash_bytes - self.flash_needed_bytes

    @property
    def sram_left_bytes(self) -> int:
        """SRAM that remains [bytes]."""
        return self.device.sram_bytes - self.sram_needed_bytes

    @property
    def fits(self) -> bool:
        """Whether neither memory runs over."""
        return min(self.flash_left_bytes, self.sram_left_bytes) >= 0

    @property
    def binding(self) -> str:
        """The memory that is used to the larger share: "flash" or "SRAM"; at a tie SRAM."""
        flash = self.flash_needed_bytes * self.device.sram_bytes
        return "flash" if flash > self.sram_needed_bytes * self.device.flash_bytes else "SRAM"


def fit(
    model: Model,
    device: Device,
    bits: int = 8,
    flash_reserved_bytes: int = 0,
    sram_reserved_bytes: int = 0,
    weights_in_sram: bool = False,
) -> Fit:
    """Weights and arena of a model against flash and SRAM of a device, `bits` for weights and activations.

    Reserved is what code, runtime, stack and radio take: a fit to the last byte leaves them no room.
    """
    if not isinstance(device, Device):
        raise TypeError(
            f"device must be a row of devices, such as devices.named('course'), got {shown(device)}"
        )
    weights = memory.model_weight_bytes(model, bits)
    flash = weights + L.count("flash_reserved_bytes", flash_reserved_bytes, 0)
    sram = plan_arena(model, bits).arena_bytes + L.count("sram_reserved_bytes", sram_reserved_bytes, 0)
    return Fit(device, flash, sram + (weights if weights_in_sram else 0))
