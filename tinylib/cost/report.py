"""A report: what one model costs on one device, whether it fits, and what would change it.

    traffic = weights once + 2 x every activation (written once, read once; input and output too)
    intensity = 2 MACs / traffic,   time >= MACs / peak,   energy = MACs x E_mac

Time and energy are those of the arithmetic alone: loads, control and memory come on top. A remedy is counted
on the model it leads to, never estimated; what it does to the accuracy is not known here.
Source: the modules memory, planning, energy, processors and compression of this room, which name theirs.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property

from tinylib.cost import compression, devices, energy, memory, networks, planning, processors
from tinylib.cost import layers as L
from tinylib.cost.imported import PassThrough
from tinylib.cost.models import INPUT, Model, ModelError, Node, Row
from tinylib.units import format_quantity, shown

Alternative = tuple[Model, int, int, int, int]  # model, bits, weights [bytes], MACs, peak [bytes]


@dataclass(frozen=True)
class Remedy:
    """One change and what it leads to.

    name, price: what is done, and one sentence on what it costs
    model, bits: the network after the change and the width of its values
    macs: work of one inference [MAC];  fit: its weights and peak against the device
    freed: share of the binding memory that it frees, below 0 where it takes more    [ratio]
    """

    name: str
    price: str
    model: Model = field(repr=False)
    bits: int
    macs: int
    fit: planning.Fit = field(repr=False)
    freed: float

    @property
    def weight_bytes(self) -> int:
        """Weights in flash [bytes]."""
        return self.fit.flash_needed_bytes

    @property
    def peak_bytes(self) -> int:
        """Activations in SRAM [bytes]."""
        return self.fit.sram_needed_bytes

    @property
    def fits(self) -> bool:
        """Whether the device can hold it."""
        return self.fit.fits

    def to_json(self) -> dict:
        """Plain values, units in the keys."""
        keys = ("name", "price", "bits", "weight_bytes", "macs", "peak_bytes", "fits")
        return {key: getattr(self, key) for key in keys} | {"freed_ratio": self.freed}


@dataclass(frozen=True)
class Report:
    """One model on one device, `bits` for weights and activations, biases at 32 bits.

    params, params_bn_folded [count], macs [MAC], flops [FLOP]: the work of one inference
    arena_bytes, lower_bound_bytes: planned SRAM, and the live set that no plan undercuts at `peak_step`
    traffic_bytes: weights once, every activation written once and read once
    compute_time_s: least time for the arithmetic, None where the device has no clock or no known rate
    energy_uj: arithmetic alone, with the operations of `energy_format`
    """

    model: Model = field(repr=False)
    device: devices.Device
    bits: int
    weight_bytes: int
    arena_bytes: int
    lower_bound_bytes: int
    peak_step: str
    traffic_bytes: int
    compute_time_s: float | None
    energy_uj: float
    energy_format: str

    @property
    def name(self) -> str:
        """Name of the model."""
        return self.model.name

    @property
    def params(self) -> int:
        """Trainable values [count]."""
        return self.model.params

    @property
    def params_bn_folded(self) -> int:
        """Values to store once batch norm is folded [count]."""
        return self.model.params_bn_folded

    @property
    def macs(self) -> int:
        """Work of one inference [MAC]."""
        return self.model.macs

    @property
    def flops(self) -> int:
        """Work of one inference [FLOP]: two per MAC."""
        return 2 * self.macs

    @property
    def intensity_flop_per_byte(self) -> float:
        """Arithmetic intensity of the whole run [FLOP/byte]."""
        return self.flops / self.traffic_bytes

    @property
    def fit(self) -> planning.Fit:
        """Weights and arena against the device."""
        return planning.Fit(self.device, self.weight_bytes, self.arena_bytes)

    @property
    def fits(self) -> bool:
        """Whether the device can hold it."""
        return self.fit.fits

    @property
    def binding(self) -> str:
        """The memory that is used to the larger share: "flash" or "SRAM"."""
        return self.fit.binding

    @cached_property
    def remedies(self) -> tuple[Remedy, ...]:
        """What would change it, best first."""
        return remedies(self.model, self.device, self.bits)

    def heaviest(self, most: int = 5) -> tuple[Row, ...]:
        """Up to `most` layers, by their shares of all weights, MACs and activations added up."""
        rows, keys = self.model.rows, ("weights", "macs", "activation_elements")
        totals = {key: sum(getattr(row, key) for row in rows) or 1 for key in keys}
        return tuple(
            sorted(rows, key=lambda row: -sum(getattr(row, key) / totals[key] for key in keys))[:most]
        )

    def to_json(self) -> dict:
        """Plain values, units in the keys; `json.dumps` takes it as it is."""
        same = ("name", "bits", "params", "params_bn_folded", "macs", "flops", "weight_bytes", "arena_bytes")
        same += ("lower_bound_bytes", "peak_step", "traffic_bytes", "intensity_flop_per_byte", "fits")
        same += ("binding", "compute_time_s", "energy_uj", "energy_format")
        fit = {
            f"{memory}_left_bytes": getattr(self.fit, f"{memory}_left_bytes") for memory in ("flash", "sram")
        }
        device = {"device": self.device.id, "device_name": self.device.name}
        device |= {"flash_bytes": self.device.flash_bytes, "sram_bytes": self.device.sram_bytes}
        found = {key: getattr(self, key) for key in same} | device | fit
        return found | {"remedies": [remedy.to_json() for remedy in self.remedies]}

    def table(self) -> str:
        """The figures and the remedies as aligned lines with their units [text]."""
        n = format_quantity
        time = "not known" if self.compute_time_s is None else f"{n(1000 * self.compute_time_s)} ms or more"
        rows = [
            ("model", f"{self.name}, {self.bits} bits"),
            ("device", self.device.name),
            ("parameters", f"{n(self.params)}, folded {n(self.params_bn_folded)}"),
            ("work", f"{n(self.macs)} MAC = {n(self.flops)} FLOP"),
            ("weights", f"{n(self.weight_bytes)} of {n(self.device.flash_bytes)} bytes flash"),
            ("arena", f"{n(self.arena_bytes)} of {n(self.device.sram_bytes)} bytes SRAM"),
            ("lower bound", f"{n(self.lower_bound_bytes)} bytes SRAM, at {self.peak_step}"),
            ("fit", f"{verdict(self.fit)}; {self.binding} binds"),
            ("intensity", f"{n(self.intensity_flop_per_byte)} FLOP/byte (weights once, activations twice)"),
            ("compute time", time),
            ("energy", f"{n(self.energy_uj)} µJ ({self.energy_format} arithmetic alone)"),
        ]
        lines = [f"{name:<14}{value}" for name, value in rows]
        if self.remedies:
            lines += ["", f"{'remedy':<26}{'weights [B]':>14}{'work [MAC]':>18}{'peak [B]':>14}  fit"]
        for r in self.remedies:
            counts = f"{r.weight_bytes:>14,}{r.macs:>18,}{r.peak_bytes:>14,}"
            lines.append(f"{r.name:<26}{counts}  {verdict(r.fit)}; {r.price}")
        return "\n".join(lines)


def verdict(fit: planning.Fit) -> str:
    """ "fits", or which memory is over by how many bytes [text]."""
    left = (("flash", fit.flash_left_bytes), ("SRAM", fit.sram_left_bytes))
    over = [f"{name} over by {-size:,} bytes" for name, size in left if size < 0]
    return " and ".join(over) or "fits"


def _checked(model: Model, device: str | devices.Device, bits: int) -> tuple[devices.Device, int]:
    if not isinstance(model, Model):
        raise TypeError(f"model must be a Model, such as models.named('lenet5'), got {shown(model)}")
    if memory.bit_width(bits) > 32:
        raise ValueError(f"bits must be 1 to 32: the energy table has nothing wider, got {shown(bits)}")
    return device if isinstance(device, devices.Device) else devices.named(device), memory.bit_width(bits)


def energy_format(bits: int) -> str:
    """Narrowest row of the energy table that holds values of so many bits: int8, fp16 or fp32 [text]."""
    return "int8" if bits <= 8 else "fp16" if bits <= 16 else "fp32"


def _compute_time_s(macs: int, device: devices.Device, bits: int) -> float | None:
    if device.clock_hz is None or device.id not in processors.ids():
        return None
    return macs / processors.named(device.id).peak_macs_per_s(bits)


def report(model: Model, device: str | devices.Device = devices.DEFAULT, bits: int = 8) -> Report:
    """Everything about one model on one device, a row of devices or its id."""
    device, bits = _checked(model, device, bits)
    arena, number = planning.plan_arena(model, bits), energy_format(bits)
    elements = math.prod(model.input_shape) + sum(row.activation_elements for row in model.rows)
    weights = memory.model_weight_bytes(model, bits)
    return Report(
        model,
        device,
        bits,
        weights,
        arena.arena_bytes,
        arena.lower_bound_bytes,
        memory.peak_live(model)[1],
        weights + memory.weight_bytes(2 * elements, bits),
        _compute_time_s(model.macs, device, bits),
        energy.spent_uj(model.macs, energy.mac_pj(number)),
        number,
    )


# Remedies


def remedies(
    model: Model, device: str | devices.Device = devices.DEFAULT, bits: int = 8
) -> tuple[Remedy, ...]:
    """Changes that lower the weights, the work or the peak of a model, best first.

    First those that fit, then by the share of the binding memory they free; at a tie as listed here: width
    of the values, 2:4 sparsity, separable convolutions, patches, in-place depthwise, narrower layers.
    """
    device, bits = _checked(model, device, bits)
    now = planning.fit(model, device, bits)
    figures = (now.flash_needed_bytes, model.macs, now.sram_needed_bytes)
    had, index = (figures[0], 0) if now.binding == "flash" else (figures[2], 2)
    found = []
    for name, price, (after, width, *new) in _alternatives(model, bits):
        if any(a < b for a, b in zip(new, figures)):
            freed = 1 - new[index] / had if had else 0.0
            fit = planning.Fit(device, new[0], new[2])
            found.append(Remedy(name, price, after, width, new[1], fit, freed))
    return tuple(sorted(found, key=lambda remedy: (not remedy.fits, -remedy.freed)))


def _alternatives(model: Model, bits: int) -> Iterator[tuple[str, str, Alternative]]:
    """Name, price and figures of every change that can be made to the model."""
    if bits > 8:
        yield "INT8", "Calibrate the scales and check the accuracy.", _plain(model, 8)
    if bits > 4:
        yield "INT4", "Retrain with quantization; the core must unpack 4-bit values.", _plain(model, 4)
    if any(_prunable(node.layer) for node in model.nodes):
        price = "Prune and retrain; the work falls only with hardware support for 2:4."
        yield "2:4 sparsity", price, _two_of_four(model, bits)
    if (after := separable(model)) is not None:
        yield "depthwise + pointwise", "Train the new network; accuracy may fall.", _plain(after, bits)
    for patches in (2, 4):
        if (figures := _patched(model, bits, patches)) is not None:
            price = "Halos are computed again; the input must come tile by tile."
            yield f"{patches} x {patches} patches", price, figures
    if (peak := inplace_arena_bytes(model, bits)) is not None:
        price = "Needs a kernel that overwrites its input channel by channel."
        yield "in-place depthwise", price, (*_plain(model, bits)[:4], peak)
    for width in (0.75, 0.5):
        if (after := narrower(model, width)) is not None:
            yield f"width x {width:g}", "Train the narrower network; accuracy falls.", _plain(after, bits)


def _plain(model: Model, bits: int) -> Alternative:
    weights, peak = memory.model_weight_bytes(model, bits), planning.plan_arena(model, bits).arena_bytes
    return model, bits, weights, model.macs, peak


def _prunable(layer: L.Layer) -> bool:
    """Convolutions across channels and dense layers: a depthwise filter has no inputs to choose among."""
    return type(layer) in (L.Conv2D, L.Conv1D, L.PointwiseConv2D, L.Dense)  # not their binary kin


def _two_of_four(model: Model, bits: int) -> Alternative:
    _, _, weights, macs, peak = _plain(model, bits)
    dense, sparse = 0, 0
    for row, node in zip(model.rows, model.nodes):
        if _prunable(node.layer):
            dense += row.weights
            sparse += compression.nm_bytes(row.weights, value_bits=bits)
            macs -= row.macs // 2
    kept = memory.weight_bytes(model.weights - dense, bits)
    return model, bits, weights - memory.weight_bytes(model.weights, bits) + kept + sparse, macs, peak


def separable(model: Model) -> Model | None:
    """The model with each full 2-D convolution of k > 1 as depthwise k x k and pointwise; None without any.

    Both halves keep the bias and the batch norm of the convolution they replace.
    """
    nodes: list[Node] = []
    for node, row in zip(model.nodes, model.rows):
        layer = node.layer
        if isinstance(layer, L.Conv2D) and layer.groups == 1 and math.prod(layer.kernel_size) > 1:
            name = f"{node.name}.depthwise"
            norm = {"bias": layer.bias, "batch_norm": layer.batch_norm}
            window = (layer.kernel_size, layer.stride, layer.padding)
            nodes.append(Node(name, L.DepthwiseConv2D(layer.in_channels, *window, **norm), row.src))
            mix = L.PointwiseConv2D(layer.in_channels, layer.out_channels, **norm)
            nodes.append(Node(node.name, mix, (name,)))
        else:
            nodes.append(Node(node.name, layer, row.src))
    return _rebuilt(model, nodes) if len(nodes) > len(model.nodes) else None


def _rebuilt(model: Model, nodes: list[Node]) -> Model | None:
    try:
        return Model(model.name, model.input_shape, tuple(nodes))
    except ModelError:  # a name that is taken, or a shortcut whose ends no longer agree
        return None


def first_stage(model: Model, least_side: int = 1) -> int:
    """Layers in the first stage [count]: the chain of 2-D windows from the input to the second stride.

    Within it nobody else reads a map, and its output is at least `least_side` high and wide.
    """
    strides, length, before = 0, 0, INPUT
    for i, (row, node) in enumerate(zip(model.rows, model.nodes)):
        readers = [other.name for other in model.rows if before in other.src]
        chain = isinstance(node.layer, L._Window) and node.layer.axes == 2
        if not chain or row.src != (before,) or readers != [row.name] or strides == 2:
            break
        strides, before = strides + (max(node.layer.stride) > 1), row.name
        length = i + 1 if min(row.out_shape[:2]) >= least_side else length
    return length


def _patched(model: Model, bits: int, patches: int) -> Alternative | None:
    """The first stage in tiles, then the rest of the model in its own arena."""
    cut = first_stage(model, patches)
    if not cut:
        return None
    plan = planning.plan_patches([node.layer for node in model.nodes[:cut]], model.input_shape, patches)
    _, _, weights, macs, _ = _plain(model, bits)
    peak, last = plan.peak_bytes(bits), model.rows[cut - 1]
    rest = tuple(
        Node(row.name, node.layer, tuple(INPUT if name == last.name else name for name in row.src))
        for row, node in zip(model.rows[cut:], model.nodes[cut:])
    )
    if rest:
        peak = max(peak, planning.plan_arena(Model(model.name, last.out_shape, rest), bits).arena_bytes)
    return model, bits, weights, macs + plan.recomputed_macs, peak


def inplace_arena_bytes(model: Model, bits: int = 8) -> int | None:
    """Arena when depthwise layers overwrite their input [bytes]; None where no layer can.

    Input and output share one slot, and one spare channel lives during the step. Only an input that nobody
    reads later is overwritten. Placed greedily by size like `planning.plan_arena`.
    """
    slots = {slot.name: slot for slot in planning.plan_arena(model, bits).slots}
    home: dict[str, str] = {}  # tensor -> the tensor whose slot it has taken over
    spares: list[planning.Slot] = []
    for i, (row, node) in enumerate(zip(model.rows, model.nodes)):
        try:
            elements = planning.inplace_depthwise_elements(node.layer, row.in_shapes[0])
        except ValueError:
            continue
        owner = home.get(row.src[0], row.src[0])
        if slots[owner].last > i:
            continue
        size = memory.weight_bytes(elements - math.prod(row.in_shapes[0]), bits)
        slots[owner] = replace(slots[owner], last=slots.pop(row.name).last)
        spares.append(planning.Slot(row.name, size, i, i))
        home[row.name] = owner
    if not home:
        return None
    placed: list[planning.Slot] = []
    for slot in sorted([*slots.values(), *spares], key=lambda slot: (-slot.size, slot.first)):
        placed.append(replace(slot, offset=planning._best_offset(slot, placed)))
    return max(slot.offset + slot.size for slot in placed)


def narrower(model: Model, width: float) -> Model | None:
    """The model with inner channels and features times `width`, to multiples of 8 from 8 on, never more.

    Input and final outputs are kept. None where nothing changes or the layers would no longer join.
    """
    keep, width = _final(model), networks._width(width)
    shapes, nodes = {INPUT: model.input_shape}, []
    for row, node in zip(model.rows, model.nodes):
        ins = tuple(shapes[name] for name in row.src)
        try:
            if isinstance(node.layer, PassThrough):
                layer = _passing(node.layer, row, ins)
            else:
                layer = _narrow(node.layer, ins[0], 1 if row.name in keep else width)
            shapes[row.name] = layer.out_shape(*ins)
        except (TypeError, ValueError):
            return None
        nodes.append(Node(row.name, layer, row.src))
    changed = any(new.layer != old.layer for new, old in zip(nodes, model.nodes))
    return _rebuilt(model, nodes) if changed else None


def _final(model: Model) -> set[str]:
    """Layers whose channels are those of a final output, seen through pooling, depthwise layers and sums."""
    read = {name for row in model.rows for name in row.src}
    keep = {row.name for row in model.rows if row.name not in read}
    for row, node in zip(reversed(model.rows), reversed(model.nodes)):
        if row.name in keep and (isinstance(node.layer, L.DepthwiseConv2D) or not node.layer.outputs):
            keep |= set(row.src)
    return keep


def _passing(layer: PassThrough, row: Row, ins: tuple[L.Shape, ...]) -> PassThrough:
    """An operator of a file behind narrower layers: its output has the shape of an input, or flattens it."""
    if ins == row.in_shapes:
        return layer
    if not layer.params and not layer.work(row.out_shape, row.in_shapes):
        if row.out_shape in row.in_shapes:
            return replace(layer, out=ins[row.in_shapes.index(row.out_shape)])
        if row.out_shape == (math.prod(row.in_shapes[0]),):
            return replace(layer, out=(math.prod(ins[0]),))
    raise ValueError(f"the output of {layer} must follow from its input: the file gives it, got {ins}")


def _narrow(layer: L.Layer, in_shape: L.Shape, width: float) -> L.Layer:
    def fewer(outputs: int) -> int:
        return outputs if width == 1 else min(outputs, networks._eighths(outputs * width))

    if isinstance(layer, L.Dense):
        return replace(layer, in_features=math.prod(in_shape), out_features=fewer(layer.out_features))
    if isinstance(layer, L.DepthwiseConv2D):
        return replace(layer, channels=in_shape[-1])
    if isinstance(layer, L._Conv):
        return replace(layer, in_channels=in_shape[-1], out_channels=fewer(layer.out_channels))
    if layer.outputs or layer.weights:
        raise ValueError(f"layer must be dense, a convolution or without weights, got {layer}")
    return layer
