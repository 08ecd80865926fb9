"""Bit allocation: the most specific entry wins, and every unknown name is reported."""

from __future__ import annotations

import pytest

from lorap_bench.config import QuantConfig
from lorap_bench.cost import Role, Site
from lorap_bench.errors import ConfigError
from lorap_bench.quant import FP32, QAT, DegreeQuant, Identity, WeightQuantizer, allocate
from lorap_bench.quant.affine import ActivationQuantizer
from tests.quant.sites import context


def site(layer: str, component: str, *, quantized: bool = True) -> Site:
    return Site(
        name=f"layers.{layer}.{component}",
        layer=layer,
        component=component,
        role=Role.WEIGHT,
        elements=1,
        quantized=quantized,
    )


SITES = (
    *tuple(site(layer, component) for layer in "01" for component in ("weight", "feature")),
    site("0", "bias", quantized=False),
)


def test_the_most_specific_entry_decides() -> None:
    config = QuantConfig(
        bits=4,
        layer_bits={"1": 3},
        component_bits={"weight": 8},
        site_bits={"layers.1.weight": 2},
    )
    assert allocate(SITES, config) == {
        "layers.0.weight": 8,
        "layers.0.feature": 4,
        "layers.1.weight": 2,
        "layers.1.feature": 3,
    }


def test_all_unknown_names_are_reported_with_the_nearest() -> None:
    config = QuantConfig(
        layer_bits={"7": 4}, component_bits={"wieght": 4}, site_bits={"layers.0.bias": 4, "layers.1.featur": 4}
    )
    with pytest.raises(ConfigError) as caught:
        allocate(SITES, config)
    faults = {fault.path: fault for fault in caught.value.faults}
    assert set(faults) == {
        "quant.layer_bits.7",
        "quant.component_bits.wieght",
        "quant.site_bits.layers.0.bias",
        "quant.site_bits.layers.1.featur",
    }
    assert faults["quant.component_bits.wieght"].suggestion == "weight"
    assert faults["quant.site_bits.layers.1.featur"].suggestion == "layers.1.feature"
    assert faults["quant.layer_bits.7"].allowed == "0, 1"


def test_fp32_ignores_the_allocation() -> None:
    config = QuantConfig(scheme="FP32", bits=2)
    scheme = FP32((config,), SITES, "node")
    assert set(scheme.widths(config).values()) == {32}
    assert isinstance(scheme.quantizer(SITES[0], context()), Identity)


def test_qat_builds_the_quantizer_that_fits_the_site() -> None:
    config = QuantConfig(bits=4, site_bits={"layers.1.feature": 32})
    scheme = QAT((config, config), SITES, "node")
    assert isinstance(scheme.quantizer(SITES[0], context()), WeightQuantizer)
    assert isinstance(scheme.quantizer(SITES[1], context(1, 2)), ActivationQuantizer)
    assert isinstance(scheme.quantizer(SITES[3], context(1, 2)), Identity)


@pytest.mark.parametrize(
    ("scheme", "observer", "gradient"),
    [(QAT, "MovingAverage", "straight_through"), (DegreeQuant, "Percentile", "clipped")],
)
def test_auto_is_the_schemes_own_choice(scheme: type[QAT], observer: str, gradient: str) -> None:
    found = scheme.resolved(QuantConfig())
    assert (found.observer, found.gradient) == (observer, gradient)
    chosen = QuantConfig(observer="MinMax", gradient="clipped")
    assert scheme.resolved(chosen) == chosen
    quantizer = scheme((QuantConfig(),), SITES, "node").quantizer(SITES[1], context())
    assert isinstance(quantizer, ActivationQuantizer)
    assert type(quantizer.observer).__name__ == observer
    assert quantizer.clipped == (gradient == "clipped")
