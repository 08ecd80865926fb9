"""Bit allocation: from sites to bit widths.

The most specific entry that names a site decides: ``site_bits``, then ``component_bits``, then
``layer_bits``, then ``bits``. So "4 bits, weights 8, the last layer's aggregate 6" is
``bits = 4``, ``component_bits.weight = 8``, ``site_bits."layers.1.aggregate" = 6``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lorap_bench.errors import ConfigError, Fault, nearest

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from lorap_bench.config import Bits, QuantConfig
    from lorap_bench.cost.site import Site

__all__ = ["allocate"]


def allocate(sites: Sequence[Site], config: QuantConfig) -> dict[str, Bits]:
    """Return the width of every quantizable site.

    Raises:
        ConfigError: an entry names a site, component or layer that the model does not have; all
            such entries at once.
    """
    quantizable = [site for site in sites if site.quantized]
    faults = [
        *_unknown("quant.site_bits", config.site_bits, (site.name for site in quantizable)),
        *_unknown("quant.component_bits", config.component_bits, (site.component for site in quantizable)),
        *_unknown("quant.layer_bits", config.layer_bits, (site.layer for site in quantizable)),
    ]
    if faults:
        raise ConfigError(faults)
    return {site.name: _width(site, config) for site in quantizable}


def _width(site: Site, config: QuantConfig) -> Bits:
    if site.name in config.site_bits:
        return config.site_bits[site.name]
    if site.component in config.component_bits:
        return config.component_bits[site.component]
    return config.layer_bits.get(site.layer, config.bits)


def _unknown(path: str, entries: dict[str, Bits], names: Iterable[str]) -> list[Fault]:
    known = list(dict.fromkeys(names))
    return [
        Fault(
            path=f"{path}.{name}",
            message="this model has no such entry",
            got=name,
            allowed=", ".join(known),
            suggestion=nearest(name, known),
        )
        for name in entries
        if name not in known
    ]
