r"""The displays of the post, in order: the formulas that everything else encodes, judges or repairs.

The signs are the post's; spacing (`\,`, `\left`, braces around one letter) is left out where it changes nothing.
"""

from __future__ import annotations

from backproof_spec.model import Source

CONVOLUTION_AND_CORRELATION = "Convolution & (Cross-) Correlation"
FEED_FORWARD = "Feed-Forward"
WEIGHT_UPDATE = "Backpropagation: Weight Update"
DELTAS = "Backpropagation: Deltas"


def _rows(*rows: str) -> str:
    return "\\begin{aligned}\n" + " \\\\\n".join(rows) + "\n\\end{aligned}"


DISPLAYS: dict[str, Source] = {
    "convolution": Source(
        CONVOLUTION_AND_CORRELATION,
        r"v(x, y) = \sum_{x_k=0}^{N_k-1} \sum_{y_k=0}^{N_k-1} i(x-x_k, y-y_k) k(x_k, y_k)",
        number=1,
    ),
    "cross-correlation": Source(
        CONVOLUTION_AND_CORRELATION,
        r"l(x, y) = \sum_{x_k=0}^{N_k-1} \sum_{y_k=0}^{N_k-1} i(x+x_k, y+y_k) k(x_k, y_k)",
        number=2,
    ),
    "single-input": Source(
        FEED_FORWARD,
        r"i_{n,m}^l(x, y) = \sum_{x', y'} o_n^{l-1}(x-x', y-y') \cdot w_{n,m}^l(x', y')",
        number=3,
    ),
    "complete-input": Source(
        FEED_FORWARD,
        _rows(
            r"c_m^l(x, y) &= \sum_n i_{n,m}^l(x, y) + b_m^l",
            r"&= \sum_{n, x', y'} o_n^{l-1}(x-x', y-y') \cdot w_{n,m}^l(x', y') + b_m^l",
        ),
        number=4,
    ),
    "output": Source(
        FEED_FORWARD,
        r"o_m^l(x, y) = a(c_m^l(x, y))",
        number=5,
    ),
    "error": Source(
        FEED_FORWARD,
        r"E = \frac{1}{2} (t - o^L)^2",
        number=6,
    ),
    "weight-update": Source(
        WEIGHT_UPDATE,
        r"\frac{\partial E}{\partial w_{n,m}^l(x, y)} = \sum_{x', y'}"
        r" \underbrace{\frac{\partial E}{\partial c_m^l(x', y')}}_{\delta_m^l(x', y')}"
        r" \cdot \frac{\partial c_m^l(x', y')}{\partial w_{n,m}^l(x, y)}",
        number=7,
    ),
    "weight-update-expansion": Source(
        WEIGHT_UPDATE,
        _rows(
            r"\frac{\partial c_m^l(x', y')}{\partial w_{n,m}^l(x, y)} &= \frac{\partial}{\partial w_{n,m}^l(x, y)}"
            r" \left( \sum_{n, x'', y''} o_n^{l-1}(x'-x'', y'-y'') \cdot w_{n,m}^l(x'', y'') + b_m^l \right)",
            r"&= \frac{\partial}{\partial w_{n,m}^l(x, y)} \left( o_0^{l-1}(x'-0, y'-0) \cdot w_{0,m}^l(0, 0) + \ldots"
            r" + o_n^{l-1}(x'-x, y'-y) \cdot w_{n,m}^l(x, y) + \ldots + b_m^l \right)",
            r"&= o_n^{l-1}(x'-x, y'-y)",
        ),
        number=8,
    ),
    "weight-gradient": Source(
        WEIGHT_UPDATE,
        r"\frac{\partial E}{\partial w_{n,m}^l(x, y)} = \sum_{x', y'} o_n^{l-1}(x'-x, y'-y) \cdot \delta_m^l(x', y')",
        number=9,
    ),
    "weight-gradient-rot180": Source(
        WEIGHT_UPDATE,
        r"\frac{\partial E}{\partial w_{n,m}^l(x, y)} = \operatorname{rot}_{180}\left("
        r"\underbrace{\sum_{x', y'} o_n^{l-1}(x+x', y+y') \cdot \delta_m^l(x', y')}_{\text{Cross-Correlation}}\right)",
        number=10,
    ),
    "deltas-chain": Source(
        DELTAS,
        r"\delta_m^l(x, y) = \frac{\partial E}{\partial c_m^l(x, y)} = \sum_o \sum_{x', y'}^{N_w, N_w}"
        r" \underbrace{\frac{\partial E}{\partial c_o^{l+1}(x+x', y+y')}}_{\delta_o^{l+1}(x+x', y+y')}"
        r" \cdot \frac{\partial c_o^{l+1}(x+x', y+y')}{\partial c_m^l(x, y)}",
        number=11,
    ),
    "deltas-expansion": Source(
        DELTAS,
        _rows(
            r"\frac{\partial c_o^{l+1}(x+x', y+y')}{\partial c_m^l(x, y)} &= \frac{\partial}{\partial c_m^l(x, y)}"
            r" \left( \sum_{m'} \sum_{x'', y''}^{N_w, N_w} o_{m'}^l(x+x'-x'', y+y'-y'')"
            r" \cdot w_{m',o}^{l+1}(x'', y'') \right)",
            r"&= \frac{\partial}{\partial c_m^l(x, y)} \left( \sum_{m'} \sum_{x'', y''}^{N_w, N_w}"
            r" a(c_{m'}^l(x+x'-x'', y+y'-y'')) \cdot w_{m',o}^{l+1}(x'', y'') \right)",
            r"&= \frac{\partial}{\partial c_m^l(x, y)} \left( w_{0,o}^{l+1}(0, 0) \cdot a(c_0^l(x'-0, y'-0)) + \ldots"
            r" + w_{m,o}^{l+1}(x'', y'') \cdot a(c_m^l(x, y)) + \ldots \right)",
            r"&= w_{m,o}^{l+1}(x+x', y+y') \cdot \frac{\partial a(c_m^l(x, y))}{\partial c_m^l(x, y)}",
        ),
        number=12,
    ),
    "deltas": Source(
        DELTAS,
        r"\delta_m^l(x, y) = \underbrace{\sum_o \sum_{x', y'}^{N_w, N_w} \delta_o^{l+1}(x+x', y+y')"
        r" \cdot w_{m,o}^{l+1}(x', y')}_{\text{Cross-Correlation, Backpropagated Error}}"
        r" \cdot \frac{\partial a(c_m^l(x, y))}{\partial c_m^l(x, y)}",
        number=13,
    ),
}
