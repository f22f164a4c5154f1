"""What each technique does to each measure, as arrows, with the lesson that shows it."""

from dataclasses import dataclass

MEASURES = ("parameters", "weight bytes", "MACs", "activations", "energy", "accuracy", "training")
UP, DOWN, SAME, EITHER = "↑", "↓", "=", "↓ or ="


@dataclass(frozen=True)
class Effect:
    """What a technique does to one measure: an arrow, under which condition, and the lesson that shows it."""

    arrow: str
    lesson: str
    when: str = ""


TECHNIQUES: dict[str, dict[str, Effect]] = {
    "pruning": {
        "parameters": Effect(DOWN, "10_pruning"),
        "weight bytes": Effect(EITHER, "10_pruning", "only if the zeros are not stored"),
        "MACs": Effect(EITHER, "10_pruning", "whole channels, or hardware that skips"),
        "activations": Effect(EITHER, "10_pruning", "whole channels"),
        "energy": Effect(EITHER, "05_energy", "only what is not read any more"),
        "accuracy": Effect(DOWN, "10_pruning"),
        "training": Effect(UP, "10_pruning", "fine-tuning"),
    },
    "quantization": {
        "parameters": Effect(SAME, "08_quantization"),
        "weight bytes": Effect(DOWN, "08_quantization"),
        "MACs": Effect(SAME, "08_quantization", "as many, but cheaper ones"),
        "activations": Effect(DOWN, "08_quantization", "in bytes"),
        "energy": Effect(DOWN, "05_energy"),
        "accuracy": Effect(DOWN, "08_quantization", "little at 8 bits"),
        "training": Effect(UP, "09_advanced_quantization", "only when aware of it"),
    },
    "search": {
        "parameters": Effect(DOWN, "12_search", "for the same accuracy"),
        "weight bytes": Effect(DOWN, "12_search"),
        "MACs": Effect(DOWN, "12_search"),
        "activations": Effect(DOWN, "13_mcu_memory", "where the search is told of them"),
        "energy": Effect(DOWN, "12_search", "with latency in the reward"),
        "accuracy": Effect(SAME, "12_search"),
        "training": Effect(UP, "12_search", "many candidates"),
    },
    "distillation": {
        "parameters": Effect(SAME, "11_distillation", "those of the student"),
        "weight bytes": Effect(SAME, "11_distillation"),
        "MACs": Effect(SAME, "11_distillation"),
        "activations": Effect(SAME, "11_distillation"),
        "energy": Effect(SAME, "11_distillation"),
        "accuracy": Effect(UP, "11_distillation", "against the same student alone"),
        "training": Effect(UP, "11_distillation", "a teacher as well"),
    },
}
