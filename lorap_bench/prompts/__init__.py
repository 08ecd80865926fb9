"""Prompts: learned additions to a model's input or to its aggregated features."""

from lorap_bench.prompts.gpf import GPF, GPFPlus
from lorap_bench.prompts.lorap import GPFLoRAP, LoRAP
from lorap_bench.prompts.none import NoPrompt
from lorap_bench.prompts.prompt import AggregatePrompt, NodePrompt, Prompt, PromptCost

__all__ = [
    "GPF",
    "PROMPTS",
    "AggregatePrompt",
    "GPFLoRAP",
    "GPFPlus",
    "LoRAP",
    "NoPrompt",
    "NodePrompt",
    "Prompt",
    "PromptCost",
]

PROMPTS: dict[str, type[Prompt]] = {"None": NoPrompt} | {
    prompt.__name__: prompt for prompt in (GPF, GPFPlus, LoRAP, GPFLoRAP)
}
