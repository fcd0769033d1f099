"""The data types that protocols are made of. Pure: they know no lab, no network, no time and no chance."""
