"""The output delta has a'(o), where a'(c) is meant."""


def output_delta(o, t, c, *, activation_derivative):
    return (o - t) * activation_derivative(o)
