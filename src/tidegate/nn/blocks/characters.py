"""Characters: a vector for each word from the characters it is spelled with."""

from __future__ import annotations

from torch import Tensor, nn

from tidegate.nn.blocks.embedding import Embedding
from tidegate.nn.recurrent import LSTM


class Characters(nn.Module):
    """Reads words character by character, from both ends.

    Axis letters: U words, C characters, H units of each direction.

    The vector of a word is made of the last hidden states of the two directions of an LSTM (Ling et
    al. 2015; Lample et al. 2016, section 4.1), so that beginning and end are remembered best.

    Args:
        size: Number of character ids, padding (0) and unknown (1) included.
        features: Numbers in the vector of a character.
        hidden_size: H.
        dropout: Probability that a character becomes unknown in training.
        backend: What runs the layer, see `tidegate.nn.StackOptions`.

    Example:
        >>> import torch
        >>> layer = Characters(9, 4, 5)
        >>> layer(torch.tensor([[2, 3], [4, 0]]), torch.tensor([2, 1])).shape
        torch.Size([2, 10])
    """

    def __init__(
        self,
        size: int,
        features: int,
        hidden_size: int,
        *,
        dropout: float = 0.0,
        backend: str = "auto",
    ) -> None:
        super().__init__()
        self.embedding = Embedding(size, features, word_dropout=dropout)
        self.recurrent = LSTM(
            features, hidden_size, batch_first=True, bidirectional=True, backend=backend,
            init="orthogonal", forget_bias=1.0,
        )  # fmt: skip

    @property
    def output_size(self) -> int:
        """2H."""
        return self.recurrent.output_size

    def forward(self, characters: Tensor, lengths: Tensor) -> Tensor:
        """Read words.

        Args:
            characters: Ids `[U, C]` int64, padded with 0.
            lengths: Characters of each word, `[U]` int64.

        Returns:
            `[U, 2H]`.
        """
        _, (hidden, _) = self.recurrent(self.embedding(characters), lengths=lengths)
        states: Tensor = hidden.transpose(0, 1).flatten(1)
        return states
