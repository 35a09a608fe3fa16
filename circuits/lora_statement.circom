// SPDX-License-Identifier: GPL-3.0-or-later
pragma circom 2.1.6;

/*
 * yhat = sum_k s[k] * h[k] over L slots (docs/protocol.md, section 2).
 *
 * All inputs are private here; the key's setup turns them into the committed wires, so their order is fixed:
 * yhat | h[L] | s[L] | blind. Unused slots are zero. L + 1 constraints at every optimisation level.
 */
template LoraStatement(L) {
    signal input yhat;
    signal input h[L];
    signal input s[L];
    signal input blind;

    signal product[L - 1];
    var sum = 0;
    for (var k = 0; k < L - 1; k++) {
        product[k] <== s[k] * h[k];
        sum += product[k];
    }
    // The last product needs no wire of its own: the sum closes here.
    s[L - 1] * h[L - 1] === yhat - sum;

    // Without a constraint of its own, the base of blind would be the point at infinity and hide nothing.
    signal z;
    z <== blind * blind;
}
